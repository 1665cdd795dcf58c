"""Figures from bare arrays: embeddings and labels, embeddings and pairs, or scores; no model is ever seen.

after/          whitening, query expansion, re-ranking and their figures
report          the one chain: rows in, retrieval and verification out, as figures
retrieval/      recall@k, MAP@R ...        verification/   AUC, EER, TAR at FAR, accuracy by folds, calibration
identification/ ranks, DIR at FPIR         classification  top-k, confusions        clustering  AMI, NMI
fewshot/        one-shot trials
lint/           what is wrong with a protocol
figures         numbers by key, and how they are spelt     intervals/  how far they may be trusted
similarity blocks pairs trials    what all of these stand on
"""
