"""What a run leaves on disk, in and out: the folder is the truth.

folder       files written whole, facts, logs, recipes
embeddings   what was embedded, with labels and pairs
environment  versions, the state of the code, memory
plugins      what comes from outside, with digests; what a run asks for again
folds        a folder of run folders, one for each test fold
tags         what runs are called by
"""
