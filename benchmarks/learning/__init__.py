"""Training from a file: what is learned, in which world, how it is judged, and what came of it."""
