"""Does each query find the images of its class first.

search   the nearest rows, exactly, by FAISS or by a bucket sort
top_k    the bucket sort, and near ties settled
rating   figures of a query from its nearest rows, and from the ranks of all its matches
by_scores  the same of any scores, such as those of re-ranking
metrics  recall@k, precision@1, R-precision, MAP@R, MRR
"""
