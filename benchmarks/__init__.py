"""Comparisons of agents in the games, and the `commonweal` command.

This is the one package that composes the others: suites say what is compared, `compare` plays it,
`store` keeps the records, `table` and `figure` show them.
"""
