"""Studies.

space      what is marked, and how a trial fills it
study      trials, kept in a journal            dashboard  Optuna's, served
record     a study as plain data                importance which parameters matter, beside chance
report     one page without a server            trials_table  CSV, JSON, rows for the terminal
spelling   how numbers are written
"""
