import asyncio
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import Agent, Decision, RandomAgent, ScriptedAgent, Usage
from agents.llm import ChatAgent, StubClient

usages = st.builds(
    Usage,
    prompt_tokens=st.integers(0, 10**6),
    completion_tokens=st.integers(0, 10**6),
    latency_s=st.integers(0, 10**4).map(float),
)


@given(st.lists(usages, max_size=8))
def test_usages_sum_field_by_field(parts):
    total = sum(parts, Usage())
    assert total.prompt_tokens == sum(part.prompt_tokens for part in parts)
    assert total.completion_tokens == sum(part.completion_tokens for part in parts)
    assert total.latency_s == sum(part.latency_s for part in parts)


def test_a_decision_is_fine_and_free_unless_it_says_otherwise():
    assert Decision(3) == Decision(action=3, said=None, status="ok", usage=Usage(0, 0, 0.0))


@pytest.mark.parametrize(
    "agent",
    [
        RandomAgent(),
        ScriptedAgent(lambda observation: 1),
        ChatAgent(StubClient(lambda text, rng: "hello"), parse=lambda answer: Decision(0)),
    ],
    ids=["random", "scripted", "chat"],
)
def test_every_agent_fulfils_the_protocol_and_answers_the_same_both_ways(agent):
    observation = {"text": "your move", "action_mask": [0, 1, 1, 0, 1]}
    assert isinstance(agent, Agent)
    agent.reset(seed=4)
    blocking = [agent.act(observation) for _ in range(5)]
    agent.reset(seed=4)
    waiting = [asyncio.run(agent.act_async(observation)) for _ in range(5)]
    assert blocking == waiting


def test_importing_the_agents_imports_neither_torch_nor_a_game():
    heavy = "{'torch', 'stable_baselines3', 'sb3_contrib', 'cleanup_icn', 'negotiation_games'}"
    program = f"import sys, agents, agents.llm; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.strip() == "[]"
