"""From a recipe to a run folder.

prepare     everything a recipe names, found and checked       warm_start  what is taken over from an earlier run
run         the story: train, validate, keep the best, score, finish
watch       what validation has shown                          evaluate    what the network is worth
events      what is told meanwhile
"""
