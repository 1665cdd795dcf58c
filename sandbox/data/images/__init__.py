"""Image files to arrays of one size.

files     which lie under a folder, each once      decode  one file, upright, cut and resized
form      what images are brought to               pack    many files, decoded once into the cache
resize    images that are in memory already        cache   where derived files are kept
image_set labelled images of one size              pixels  mean and deviation of the channels
"""
