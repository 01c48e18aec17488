"""Files that a run and what is made of it leave in its folder; a new run there removes them."""

from __future__ import annotations

_STUDY_FIGURES = ("course", "critical-change", "judges", "acceptance")

OUTCOMES = (
    "company.json",
    "figure*.svg",
    "figure*.png",
    "episodes.parquet",  # of `commonweal export`
    "turns.parquet",
    "study.json",  # of `commonweal study`
    "regions.json",
    *(f"{name}.{kind}" for name in _STUDY_FIGURES for kind in ("svg", "png")),
)
"""What is made of the episodes, beside the tables; as patterns."""

_LEARNED = ("policy.*", "last.*", "best.*", "progress.jsonl", "tensorboard/events.*")

CHECKPOINTS = (
    *(f"*/*/*/{name}" for name in _LEARNED),
    *(f"trained/*/{seat}/policy.*" for seat in ("seed-*", "seed-*/seat-*")),
    *(f"trained/*/{seat}/best.*" for seat in ("seed-*", "seed-*/seat-*")),
)
"""What learned policies leave; as patterns."""
