"""What a run leaves on disk, in and out: the folder is the truth.

folder       files written whole, facts, logs, recipes
embeddings   what was embedded, with labels and pairs
environment  versions, the state of the code, memory
tags         what runs are called by
"""
