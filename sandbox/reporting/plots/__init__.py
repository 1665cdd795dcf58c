"""Pictures as files: arrays in, a PNG out; pictures of several runs as SVG and PDF too.

several         pictures out of several runs       fitting placing  titles, legends and names that fit
style           what all share                     curves         learning curves, scores, ROC, CMC
neighbours      queries and what they find
map map_layout  images where t-SNE puts them       scores plane   counted scores; features of two numbers
fonts lettering names of any script                contact_sheet  rows of a data set's images
study_marks     what a study's pictures share      study_history  trials in order, curves, the front
study_space     slices, contours, importance       study_parallel all parameters, a line a trial
critical_difference  ways by mean rank over data sets
"""
