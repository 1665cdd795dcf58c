"""The page of a run, or of several: one HTML file that needs nothing beside it, not even the pictures.

written     figures, drawings and scripts as HTML       found       what is looked up in runs for it
"""
