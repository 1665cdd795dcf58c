"""A study that is kept.

making     begun, or gone on with                               study        found, and its trials
widen      gone on with by a wider search                       record       as plain data
read       plain data read from it                              attributes   what stands beside values, by which names
spelling   how numbers are written
owner      who is at work on a trial                            heartbeat    whether they still live
"""
