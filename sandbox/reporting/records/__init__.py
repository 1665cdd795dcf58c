"""Finished runs as plain data, for tables, comparisons, figures and pages.

read     run folders to `Run`s              chosen    which of them: --where and --tag
groups   the seeds of a recipe together     names     what a person calls a figure or a setting
recipes  those that differ in the seed alone, read once
"""
