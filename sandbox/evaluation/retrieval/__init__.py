"""Does each query find the images of its class first.

search   the nearest rows, exactly, by FAISS or by a bucket sort
top_k    the bucket sort, and near ties settled
metrics  recall@k, precision@1, R-precision, MAP@R, MRR
"""
