"""Comparisons of finished runs: what is compared, whether it may be, what is found, and how it is said.

sides    names to runs                        fit      what must agree before anything is compared
names    how recipes are told apart           kept     what queries and pairs got, from the runs' embeddings
seeds    two recipes on shared seeds          single   two runs on the same test images
several  several recipes over data sets       sentences digits  words and numbers fit to print
written  all of it as text, Markdown, CSV and JSON
"""
