"""What commands need to speak to a person.

flags         words to a dataclass, errors in one sentence    listing   what --list prints
report_table  the first table of a run                        tables    figures and rows on the terminal
outputs       places that are checked before any work         progress  bars, and runs watched to their end
"""
