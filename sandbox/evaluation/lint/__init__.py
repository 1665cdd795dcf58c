"""What is wrong with a protocol, as findings with a stable rule.

embeddings      rows that are not finite, not of unit length, collapsed, or in two parts
pairs           pairs twice, torn between kinds, folds out of balance, scores the wrong way round
identical_rows  rows that are the same, byte by byte
"""
