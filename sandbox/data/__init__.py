"""Images in, splits out: one file per data set, `catalog.load` is the way in."""
