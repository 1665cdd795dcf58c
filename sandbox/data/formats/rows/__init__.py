"""Rows of numbers: an npz with its classes, held in memory; npz, npy and Parquet that stay in their file."""
