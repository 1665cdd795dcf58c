"""Studies.

space      what is marked, and how a trial fills it
study      trials, kept in a storage            dashboard  Optuna's, served
storage    where trials are kept, and taking turns: journal (journal_lines, alone), postgres or sqlite (database)
"""
