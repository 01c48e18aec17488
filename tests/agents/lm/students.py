"""Pairs that a tiny student learns in a second, and folders with one."""

from __future__ import annotations

import random

from agents.llm import Message
from agents.lm import Pair, StudentSettings, TeachingSettings

ANSWERS = {"red": "wait", "green": "move", "blue": "harvest", "grey": "clean"}
TINY = StudentSettings(layers=1, width=32, heads=1, vocab_size=400, context_tokens=256)
BRIEF = TeachingSettings(
    steps=80, batch_size=16, learning_rate=0.01, warmup_steps=5, threads=1, precision="float32"
)


def signal_pair(colour, step, answers=ANSWERS):
    """Return a question whose answer depends on one of its words."""
    asked = f"Step {step} of 50.\nThe signal is {colour}. What now?"
    messages = (Message("system", "Two agents share a river."), Message("user", asked))
    return Pair(messages, f"Action: {answers[colour]}")


def signal_pairs(number, *, seed=0, answers=ANSWERS):
    """Return so many drawn questions with their answers."""
    rng = random.Random(seed)
    colours = sorted(answers)
    return [signal_pair(rng.choice(colours), rng.randrange(50), answers) for _ in range(number)]


def save_tiny_student(folder, *, pairs=None, settings=TINY, seed=0):
    """Save a student that was taught nothing; returns the folder."""
    from agents.lm.isolation import isolated
    from agents.lm.student import make_student

    with isolated(seed=seed, threads=1):
        make_student(settings, pairs or signal_pairs(50)).finished().save(folder)
    return folder
