"""Optuna's dashboard, with notes and pictures.

serve      one or several studies, for reading (gate)           joined       several storages as one
shown      what is written when a trial is over                 notes        in Markdown (markdown)
pictures   of a trial                                           artifacts    where the dashboard finds them
sweep      what need not be kept, taken away
"""
