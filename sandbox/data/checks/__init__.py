"""What is wrong with a data set, found before anything is learnt from it.

splits      twins across splits and classes, lone images      files  unreadable, tiny, twice
mirrors     which images are mirror images of others          statistics  how images spread, kinds of files
"""
