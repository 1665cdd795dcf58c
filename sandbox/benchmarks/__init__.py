"""What benchmark.py times: parts of the sandbox against other code, in one run, as ratios.

timing   two things alternately          training      commands and steps      verification  pairs
memory   of evaluations                  retrieval     neighbours, bootstrap   faces         naming among many
rows     drawn embeddings                studies       workers                 tables        a thousand runs
"""
