"""From a recipe to a run folder.

prepare   everything a recipe names, found and checked    warm_start  what is taken over from an earlier run
run       the story: train, validate, keep the best, score, finish
watch     what validation has shown, and health           saving      checkpoints, and what a run goes on from
going_on  more steps than a run planned
judging/  what the network is worth                       folds/      a run for each fold
events    what is told meanwhile                          rows        a recipe whose data is rows of numbers
"""
