"""Evaluation on bare arrays: embeddings and labels, embeddings and pairs, or scores; it never sees a model."""
