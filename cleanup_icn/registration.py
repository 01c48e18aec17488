"""Names under which ``pettingzoo.make`` and ``gymnasium.make`` find the environments."""

from __future__ import annotations

import gymnasium
import pettingzoo

_PETTINGZOO = {
    "commonweal/Cleanup-v0": "cleanup_icn.env",
    "commonweal/CleanupICN-v0": "cleanup_icn.icn",
}
_SEAT = "commonweal/CleanupSeat-v0"


def register_environments() -> None:
    """Register every environment of this package; a second call changes nothing."""
    for name, module in _PETTINGZOO.items():
        if name not in pettingzoo.parallel_registry:
            pettingzoo.register("parallel", name, f"{module}:parallel_env")
            pettingzoo.register("aec", name, f"{module}:env")
    if _SEAT not in gymnasium.registry:
        gymnasium.register(_SEAT, entry_point="cleanup_icn.seat:CleanupSeatEnv")
