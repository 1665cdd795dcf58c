"""What comes after the embedding: steps that change embeddings of test, or the order of a gallery, and their figures.

chain       the steps one after the other, and the figures after them
linear      centring, PCA and whitening, fitted on embeddings that are in no test
templates   images of one template as one row: the mean within a medium, then over media
expansion   alpha query expansion
reciprocal  k-reciprocal re-ranking
"""
