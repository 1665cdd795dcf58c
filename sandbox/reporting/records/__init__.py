"""Finished runs as plain data, for tables, comparisons, figures and pages.

read     run folders to `Run`s              chosen    which of them: --where and --tag
groups   the seeds of a recipe together     where     the language of --where
names    what a person calls a figure       fields    what a name of --where is of a run
recipes  those that differ in the seed alone, read once
ledger   runs as the lines of NAME.csv, written and read
objective_parts  an objective taken apart: its miners, its parameters
"""
