"""What a run's network is worth, and what that stands beside.

evaluate  embeddings of a split and their figures        baselines   the same at step 0
lengths   the figures of shorter embeddings              raw_pixels  what the images are worth themselves
few_shot  episodes that are drawn                        hausdorff   the same of one-shot trials, by their strokes
after     figures after whitening, re-ranking ...        asked_for   whether the images allow what is asked for
protocol  what validation and test are, in a sentence    monitor     whether a figure can choose weights
"""
