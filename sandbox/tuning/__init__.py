"""Studies.

space      what is marked, and how a trial fills it
study      trials, kept in a journal            dashboard  Optuna's, served
"""
