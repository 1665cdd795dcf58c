"""Result tables out of finished runs: rows by columns, seeds as one cell.

layout    what is asked for                  build      runs to a `Table`
table     `Table` as plain data              mixed      what may not stand in one column
arrange   which group stands where           baselines  raw pixels, untrained, differences to one objective
lettering which rows share a letter          numbers    digits by the interval, percent
caption   what a reader must know            trials     what tuning spent before
written/  terminal, Markdown, LaTeX, CSV, HTML
"""
