"""Which episodes are held out: those of some seeds, so that no seed stands on both sides."""

from __future__ import annotations

import hashlib

_BITS = 64


def is_held_out(seed: int, *, share: float, split_seed: int) -> bool:
    """Whether episodes of this seed are held out.

    It follows from the two seeds alone, so episodes of equal worlds and starts, in whichever cell
    or run they were played, fall on the same side. Of many seeds about `share` are held out; a
    larger share holds out those of a smaller one and more.

    Args:
        seed: of the episode's environment.
        share: from 0, nothing, to 1, everything.
        split_seed: draws which seeds they are.

    """
    digest = hashlib.sha256(f"{split_seed}/{seed}".encode()).digest()
    drawn = int.from_bytes(digest[: _BITS // 8], "big")
    return drawn < share * (1 << _BITS)
