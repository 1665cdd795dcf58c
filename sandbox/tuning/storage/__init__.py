"""Where trials are kept, and taking turns at it.

store      opens any of them                                    journal      Optuna's file (and its lines)
postgres   a database of many workers                           sqlite       one of a single worker
database   what both have in common                             alone        one worker at a time, by the system's locks
"""
