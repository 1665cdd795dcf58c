"""Naming images by few examples of each class.

oneshot    trials that are given: which of W images is of the query's class
hausdorff  the same by a distance of drawings, without a network
"""
