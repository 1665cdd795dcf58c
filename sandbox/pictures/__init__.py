"""What pictures are drawn from: runs with the images they saw, files of embeddings, networks trained for one."""
