"""Whether one way of training is better than another, on bare numbers.

letters     groups of equals in a column            needed     seeds that would settle a difference
embeddings  two trained networks, paired            equal      whether a difference is within a margin
queries     what each serves better                 ranks      several ways over several data sets
"""
