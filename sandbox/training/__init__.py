"""From batches and an objective to trained weights.

loop          a step is a function of (seed, step) and the state before it
optimizer     groups, schedule                 checkpoint  the state, as tensors and plain values
health        signs of a run that goes wrong   features    of a frozen trunk, computed once
device        where and in which precision     distributed shared_batch  several processes as one
allocator     freed memory that is kept
"""
