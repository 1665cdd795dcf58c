"""What commands need to speak to a person.

flags   words to a dataclass, errors in one sentence      help     what --help prints, as wide as the terminal
listing what --list prints                                list_entry list_part  one entry of a list whole
folds   a network for each test fold, gone on with where it was cut off
tables  figures and rows on the terminal                  report_table  the first table of a run
outputs places that are checked before any work           progress bars, and runs watched to their end
table/  what table.py does                                study/ what tune.py says and does
"""
