"""Objectives: one small language that names, composes and weighs losses, miners, distances and reducers.

language    text to a tree, never evaluated        literature  papers, and ranges worth searching
catalog     every name, by introspection           register    how ours join it
resolve     names found, values checked            expression  the result, spelt canonically
objective   the module that trains                 losses/ miners/  ours, a file each
rehearsal   what is asked before data is read      learnable   whether it can learn, on free_rows
margins     angles, cosines and factors            bounded/    forms of the library's in bounded memory
"""
