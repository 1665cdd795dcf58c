"""Few-shot classification: a query is of the class whose few known images it is nearest to.

suited    which tasks labels allow, and which classes are left out
episodes  tasks that are drawn from the classes there are, and their accuracy
said      what a reader must know of it
"""
