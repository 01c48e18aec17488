"""Policies trained by proximal policy optimization, and what plays them (extra `[ppo]`).

Whatever is a `Batch` can be learned: lanes of one game stepped together. `PythonLanes` makes one of
any PettingZoo parallel environment, `OneSeat` of one seat among given players. PyTorch and
Stable-Baselines3 are imported nowhere else in the project, but for models that run in process.
"""

try:
    import sb3_contrib as _sb3_contrib  # noqa: F401  # imported to fail here, with advice
except ImportError as error:
    raise ImportError(
        'agents.ppo needs PyTorch and Stable-Baselines3: pip install "commonweal[ppo]"'
    ) from error

from agents.ppo.agent import PPOAgent
from agents.ppo.batch import Batch, LaneEnds, RowPolicy
from agents.ppo.folder import ProgressRow
from agents.ppo.network import MaskedPolicy
from agents.ppo.one_seat import OneSeat
from agents.ppo.play import Episodes, play_episodes
from agents.ppo.python_lanes import PythonLanes
from agents.ppo.scored_actions import ScoredActions
from agents.ppo.settings import PPOSettings
from agents.ppo.train import TrainedPolicy, train, train_independent
from agents.ppo.vec_env import BatchVecEnv, lane_seeds

__all__ = [
    "Batch",
    "BatchVecEnv",
    "Episodes",
    "LaneEnds",
    "MaskedPolicy",
    "OneSeat",
    "PPOAgent",
    "PPOSettings",
    "ProgressRow",
    "PythonLanes",
    "RowPolicy",
    "ScoredActions",
    "TrainedPolicy",
    "lane_seeds",
    "play_episodes",
    "train",
    "train_independent",
]
