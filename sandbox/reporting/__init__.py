"""Tables and pages out of run folders; nothing here sees a live run.

tables/  seeds as one cell, rows by columns, in five ways of writing      page  one run as HTML      plots/  pictures
records/  finished runs as plain data
tuning_table  what tuning gave, retrained and paired by seed       tuning_text  the same as Markdown
compare/  two recipes on shared seeds, two runs, several over data sets
"""
