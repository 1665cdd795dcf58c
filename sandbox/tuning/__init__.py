"""Studies.

What is searched (plan), where trials are kept (storage), the study (study), who does its trials (search), and how it is
shown, by a server (dashboard) or without one (report).
"""
