"""The page of a run: one HTML file that needs nothing beside it, not even the pictures.

write       everything into one file          material    what of a run the page is made of
figures     the first table and the others    words       what figures mean; numbers as a person reads them
operating   exact counts at many thresholds   near        pairs on either side of a threshold
searched    what each query finds             difficulty  classes by difficulty, and who is taken for whom
places      the map                           curves      what training logged, as drawings
made        settings, data, versions          album       thumbnails in sheets, within a budget of bytes
book        the rows that a page speaks of, with those   looked      all of it, once
svg         line drawings without a script  scripted    what the scripts draw from
packed      arrays and names as JSON that no name can break out of
render      the template filled in          beside      the page of several runs (compared, roc)
still       the PNG files in figures/         assets/     the template, its style and its scripts
"""
