"""Policies trained by proximal policy optimization, and the agent that plays them (extra `[ppo]`).

One policy plays all seats of a PettingZoo parallel environment; PyTorch and Stable-Baselines3 are
imported nowhere else in the project.
"""

try:
    import sb3_contrib as _sb3_contrib  # noqa: F401  # imported to fail here, with advice
except ImportError as error:
    raise ImportError(
        'agents.ppo needs PyTorch and Stable-Baselines3: pip install "commonweal[ppo]"'
    ) from error

from agents.ppo.agent import PPOAgent
from agents.ppo.network import MaskedPolicy
from agents.ppo.settings import PPOSettings
from agents.ppo.train import TrainedPolicy, train
from agents.ppo.vec_env import LaneVecEnv

__all__ = ["LaneVecEnv", "MaskedPolicy", "PPOAgent", "PPOSettings", "TrainedPolicy", "train"]
