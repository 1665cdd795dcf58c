"""Who does the trials.

workers    processes of this machine, GPUs in turn              worker       claims trials, trains them, tells
claims     which trial is next                                  trial        the runs of one, watched by the pruner
trial_run  one run, from wherever it stands                     events       what happens
final      winner and default on fresh seeds                    final_folds  the same for a model a fold
cost       what a trial costs, tried out                        launch       workers as jobs of a cluster
"""
