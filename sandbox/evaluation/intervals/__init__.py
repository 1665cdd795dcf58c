"""How far a figure may be trusted: 95 % intervals by identity.

bootstrap  figures of queries: identities drawn anew
influence  figures of pairs: how far each identity moves them
paired     means over seeds, and differences between two ways of training seed by seed
"""
