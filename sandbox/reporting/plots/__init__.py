"""Pictures as files: arrays in, a PNG out.

style           what all share                     curves         learning curves, scores, ROC, CMC
neighbours      queries and what they find
map map_layout  images where t-SNE puts them       scores plane   counted scores; features of two numbers
fonts lettering names of any script                contact_sheet  rows of a data set's images
"""
