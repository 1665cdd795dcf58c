"""What table.py does: each word after its name is a file with a `Command` and a function `act`.

commands  the words, and how runs are chosen for them      against  run.py --against: two objectives, compared
compare figure page                                        again    with again_WORD: what it asks, starts and tells
"""
