"""From records of play to a language model that plays, and what it has learned."""
