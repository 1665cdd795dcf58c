"""What commands need to speak to a person.

flags   words to a dataclass, errors in one sentence      listing  what --list prints
tables  figures on the terminal                           progress bars, and runs watched to their end
outputs places that are checked before any work           against  a second objective on the same seeds
"""
