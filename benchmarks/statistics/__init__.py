"""What a handful of episodes, or of training seeds, says; docs/statistics.md has the formulas."""

from __future__ import annotations

from benchmarks.statistics.effects import (
    probability_of_improvement,
    share_improved,
    standardized_difference,
    standardized_mean,
)
from benchmarks.statistics.estimates import (
    CONFIDENCE,
    EPISODE,
    SAME_WITHIN,
    TRAINING_SEED,
    Estimate,
    estimate_iqm,
    estimate_mean,
    estimate_over_seeds,
    estimate_rate,
)
from benchmarks.statistics.paired import (
    Contrast,
    Difference,
    Side,
    contrast,
    contrast_over_strata,
    measure_difference,
)
from benchmarks.statistics.permutation import holm, sign_flip_test, two_sample_test
from benchmarks.statistics.power import ALPHA, POWER, groups_needed, pairs_needed

__all__ = [
    "ALPHA",
    "CONFIDENCE",
    "EPISODE",
    "POWER",
    "SAME_WITHIN",
    "TRAINING_SEED",
    "Contrast",
    "Difference",
    "Estimate",
    "Side",
    "contrast",
    "contrast_over_strata",
    "estimate_iqm",
    "estimate_mean",
    "estimate_over_seeds",
    "estimate_rate",
    "groups_needed",
    "holm",
    "measure_difference",
    "pairs_needed",
    "probability_of_improvement",
    "share_improved",
    "sign_flip_test",
    "standardized_difference",
    "standardized_mean",
    "two_sample_test",
]
