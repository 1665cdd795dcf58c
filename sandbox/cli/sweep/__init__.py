"""`run.py --sweep`: every combination of several settings, one after the other, gone on with after a stop.

asked   which run.py commands a line stands for     plan    their recipes, checked before anything trains
work    what is missing is trained                  tabled  the table.py line that shows them
"""
