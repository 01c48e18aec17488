"""Values of all deals at once, of what is a sum over issues."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def deal_values(options: Sequence[Sequence[float] | Floats]) -> Floats:
    """Return the sum of every deal's option values, (num_deals,), in the order of deal numbers.

    ``options`` holds the values of every issue's options.
    """
    issues = (np.asarray(values, np.float64) for values in options)
    return reduce(lambda total, values: np.add.outer(total, values).ravel(), issues)
