"""Small language models of one's own: taught from records of play.

Pairs of question and answer (`Pair`) teach a student, either a small Llama made anew or a model
from a folder: `agents.lm.teach.teach`, which needs the extra `[lm]`. What is here needs nothing.
"""

from agents.lm.pairs import Pair
from agents.lm.settings import StudentSettings, TeachingSettings
from agents.lm.taught import Taught, describe

__all__ = ["Pair", "StudentSettings", "Taught", "TeachingSettings", "describe"]
