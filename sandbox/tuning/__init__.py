"""Studies.

space      what is marked, and how a trial fills it
study      trials, kept in a journal
dashboard  Optuna's, served, of                 joined     several studies as one storage, behind
gate       what lets readers only read          artifacts  pictures where the dashboard lists them
notes      of trials and studies                markdown   that they are written in
pictures   of trials                            sweep      what need not be kept, taken away
"""
