"""`recognise.py`: the words after its name, and what each takes."""
