"""Tables and pages out of run folders; nothing here sees a live run.

tables  seeds as one row, settings that differ as columns      page  one run as HTML      plots/  pictures
tuning_table  what tuning gave, retrained and paired by seed       tuning_text  the same as Markdown
compare/  two recipes on shared seeds, two runs, several over data sets
"""
