"""What evaluate.py scores, and hands in.

inputs    what is compared with what, read from files       from_run  the same out of a run
score     the chain of evaluation, and what surrounds it    homework  lists that are to be answered
after     what comes after the embedding                    ensemble  several runs as one
"""
