"""Files that others made, read without running what they hold.

npz embeddings       arrays, and rows with their classes      pickles insightface_bin   plain values; verification sets
rows_npz rows_npy rows_parquet   rows that stay in their file
pair_lists pair_rows lists of pairs, as rows of embeddings    lfw_pairs image_lists     LFW's lists; lists of images
"""
