"""What commands need to speak to a person.

flags   words to a dataclass, errors in one sentence      help     what --help prints, as wide as the terminal
listing what --list prints                                list_entry list_part  one entry of a list whole
tables  figures on the terminal                           progress bars, and runs watched to their end
outputs places that are checked before any work           against  a second objective on the same seeds
"""
