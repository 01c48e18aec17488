"""The report of a run: one folder of static files that a browser opens from disk."""
