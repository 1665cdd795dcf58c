"""Images in, splits out.

catalog    every data set by name; `load` is the way in
datasets/  a file for each data set          homework/  the shapes of one course's homeworks
splits/    train, validation and test        checks/    what is wrong with them, before training
formats/   files that others made            faces/     found, and brought upright
images/    files to arrays of one size       batches augment   which images make a step, and how they are changed
                                             distortions erasing   parts of augment: warp and strokes; rectangles
"""
