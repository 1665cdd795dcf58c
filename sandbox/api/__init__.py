"""What `import sandbox` gives: a run, a network, figures, an objective, a study and a table, each in a call."""
