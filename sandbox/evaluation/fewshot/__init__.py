"""Few-shot classification: a query is of the class whose few known images it is nearest to.

oneshot    trials that are given: which of W images is of the query's class
hausdorff  the same by a distance of drawings, without a network
suited     which tasks labels allow, and which classes are left out
episodes   tasks that are drawn from the classes there are, and their accuracy
said       what a reader must know of it
"""
