"""A recipe whose `data.fold` is ``all``: a run for each test fold in one folder, and what they come to together.

plan      the recipe of each fold, and the folder that is begun or gone on with
standing  what there is of each fold: done, begun, absent, or of another recipe
work      one process at work in the folder: the next fold, and its status whatever ends it
together  the report of all folds, written once the last is done
"""
