"""From batches and an objective to trained weights."""
