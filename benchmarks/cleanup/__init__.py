"""Comparisons in Cleanup: what is played under which contracts, by whom, and what comes of it."""
