"""An experiment as plain data.

specs     what can be asked for, and its digest
ranges    what a setting may be
fold      which of how many folds, as it is written
episodes  few-shot tasks, as they are written
text      TOML and flags, in and out; stages
"""
