"""From a recipe to a run folder.

prepare     everything a recipe names, found and checked       warm_start  what is taken over from an earlier run
run         the story: train, validate, keep the best, score, finish
watch       what validation has shown, and health             evaluate    what the network is worth
baselines   what it was worth at step 0                        raw_pixels  what the images are worth themselves
protocol    what validation and test are, in a sentence        monitor     whether a figure can choose weights
after       figures after whitening, re-ranking ...            asked_for   whether the images allow what is asked for
events      what is told meanwhile
"""
