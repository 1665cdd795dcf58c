"""Image files to arrays of one size.

files     which files are images                   decode  one file, upright, cut and resized
listing   which lie under a folder, each once      deep    more than eight bits a channel, brought to eight
parts     folders that are parts, not classes      pack    many files, decoded once into the cache
form      what images are brought to               cache   where derived files are kept
resize    images that are in memory already        pixels  mean and deviation of the channels
image_set labelled images of one size              levels  images that hold hardly anything
rows      rows of numbers in the place of images
"""
