"""What renegotiation buys: a study of one question, on the ordinary arenas, runs and executors."""
