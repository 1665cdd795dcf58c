"""A file for each data set, found by itself: it holds a `DATA_SET` and a `load` from settings to splits.

dataset   what such a file registers
download  data that is fetched once into the cache
"""
