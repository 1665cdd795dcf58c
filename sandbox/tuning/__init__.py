"""Studies: what to search, how to search it, and the dashboard that shows it."""
