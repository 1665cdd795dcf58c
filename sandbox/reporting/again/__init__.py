"""A table that was written is made again: its header is read, what is missing is told, its cells are compared.

header   what a file says of how it was made     lines   commands as words, and what they need
grids    the cells of a table in any format      moved   cells beyond their interval
"""
