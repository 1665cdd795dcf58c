"""Files that others made, read without running what they hold.

pairs/  lists of pairs      rows/  rows of numbers      images/  lists and archives of images
list_text  the lines of a list      pickles  plain values out of a pickle
"""
