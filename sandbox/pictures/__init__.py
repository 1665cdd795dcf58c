"""What draw.py draws from.

map     embeddings, with a run's images read again      scores  pairs, counted by score
plane   two networks, trained for one picture
"""
