"""Scorable multi-party, multi-issue negotiation (Abdelnabi et al., NeurIPS 2024 D&B).

Reserved: no game is exported yet. The package exists so that its name, and the rule that it and
``cleanup_icn`` do not know each other, are fixed from the start.
"""

__all__: list[str] = []
