"""What a study searches, and the next point of it.

plan       everything that defines a study, as plain data       space        what is marked, and how a trial fills it
draw       the next point, by a sampler of Optuna's             prune        whether a trial is worth going on with
constraints  what a trial must keep to                          protocol     the comparison of a paper, kept to
"""
