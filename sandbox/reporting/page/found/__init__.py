"""What a page looks up in runs: their files, and what their embeddings say.

material    what of a run the page is made of         operating   exact counts at many thresholds
near        pairs on either side of a threshold       searched    what each query finds
difficulty  classes by difficulty, and who is taken for whom        places      the map
album       thumbnails in sheets, within a budget     book        the rows that a page speaks of, with those
looked      all of it, once                           compared    several runs over the same images
packed      arrays and names as JSON that no name can break out of
"""
