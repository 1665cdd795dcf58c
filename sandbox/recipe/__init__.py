"""An experiment as plain data.

specs   what can be asked for, its ranges, its digest
text    TOML and flags, in and out; stages
"""
