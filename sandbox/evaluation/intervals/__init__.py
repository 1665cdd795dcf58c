"""How far a figure may be trusted: 95 % intervals by identity.

bootstrap  figures of queries: identities drawn anew
influence  figures of pairs: how far each identity moves them
"""
