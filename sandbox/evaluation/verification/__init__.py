"""Do genuine pairs score above impostor pairs.

all_pairs         every pair of rows, scored and counted in one pass
counting          where a score falls among the genuine ones
roc               the curve that AUC, EER and TAR at FAR are read from
metrics           these figures with their intervals, over all pairs, given pairs or given scores
cross_validation  accuracy by folds           calibration  scores to likelihood ratios, Cllr
by_network        the same where each fold has a network of its own
"""
