"""Studies.

space      what is marked, and how a trial fills it        plan     what defines a study
study      a study that is kept, found, widened (widen)    storage  where: journal (journal_lines, alone), postgres
                                                                    or sqlite (database)
workers    processes of one machine                        worker   claims trials (claims, heartbeat, owner), trains
trial      the runs of one, pruned (prune)                          them and tells (events)
protocol   how trials and repeats take turns in folds         final    winners and defaults anew (final_folds: K as one)
draw       the next point                                  cost     what a trial costs (constraints: what it keeps to)
record     a study as plain data, read from one (read)     report/  its page, trials_table, importance, spelling
dashboard  Optuna's, served
"""
