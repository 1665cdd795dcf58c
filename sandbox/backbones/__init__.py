"""Networks that turn images into embeddings.

register catalog  every name: own/ (a file each) and libraries (torchvision, timm)
network           pixel statistics, a backbone and a head        embed  images through it, a batch at a time
weights           files of weights, read strictly
"""
