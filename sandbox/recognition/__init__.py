"""People enrolled by name, and images named by them: a file for each thing a person asks for.

enrol identify classify verify measure picture      what is typed
people people_file gallery search                   who is enrolled, kept and searched
reader folders strangers thresholds                 images to rows, and where UNKNOWN begins
"""
