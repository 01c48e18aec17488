"""Comparisons in negotiation games: what is played, by whom, and what comes of it."""
