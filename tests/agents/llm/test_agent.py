import asyncio
from dataclasses import dataclass
from enum import Enum

import pytest

from agents import Decision, Usage
from agents.llm import ChatAgent, ChatError, ChatReply, Message


class Status(Enum):
    OK = "ok"
    MISSING = "missing"


@dataclass
class Parsed:
    action: int
    status: object


def parse(answer):
    return Parsed(7, Status.OK) if "seven" in answer else Parsed(0, Status.MISSING)


class RecordingClient:
    """Says `text` and keeps what it was asked."""

    def __init__(self, text="seven"):
        self.text = text
        self.asked = []

    def complete(self, messages, *, seed):
        self.asked.append((tuple(messages), seed))
        return ChatReply(self.text, 11, 3, 0.5, "stop")

    async def complete_async(self, messages, *, seed):
        return self.complete(messages, seed=seed)


class DeadClient:
    def complete(self, messages, *, seed):
        raise ChatError("connection refused")

    async def complete_async(self, messages, *, seed):
        raise ChatError("connection refused")


def test_rules_come_first_and_the_observation_last():
    client = RecordingClient()
    agent = ChatAgent(client, parse=parse, rules="Two places.")
    agent.act({"text": "Step 1.", "observation": [0.0], "action_mask": [1]})
    agent.act("Step 2.")
    assert [messages for messages, _ in client.asked] == [
        (Message("system", "Two places."), Message("user", "Step 1.")),
        (Message("system", "Two places."), Message("user", "Step 2.")),
    ]


def test_without_rules_there_is_no_system_message():
    client = RecordingClient()
    ChatAgent(client, parse=parse).act("Step 1.")
    assert client.asked[0][0] == (Message("user", "Step 1."),)


def test_a_decision_carries_the_answer_and_its_cost():
    decision = ChatAgent(RecordingClient("seven"), parse=parse).act("Step 1.")
    assert decision == Decision(7, said="seven", status="ok", usage=Usage(11, 3, 0.5))


@pytest.mark.parametrize("status", [Status.MISSING, "missing"])
def test_an_unreadable_answer_is_a_fallback_with_a_status(status):
    agent = ChatAgent(RecordingClient("???"), parse=lambda answer: Parsed(0, status))
    decision = agent.act("Step 1.")
    assert (decision.action, decision.status, decision.said) == (0, "missing", "???")


def test_calls_of_an_episode_have_seeds_of_their_own_which_reset_repeats():
    client = RecordingClient()
    agent = ChatAgent(client, parse=parse)
    for episode_seed in (3, 3, 4):
        agent.reset(seed=episode_seed)
        for _ in range(4):
            agent.act("Step.")
    seeds = [seed for _, seed in client.asked]
    assert seeds[:4] == seeds[4:8]
    assert len(set(seeds)) == 8


def test_asking_both_ways_makes_the_same_calls():
    blocking, waiting = RecordingClient(), RecordingClient()
    agent, twin = ChatAgent(blocking, parse=parse), ChatAgent(waiting, parse=parse)
    for step in range(3):
        agent.reset(seed=step)
        twin.reset(seed=step)
        assert agent.act(f"Step {step}.") == asyncio.run(twin.act_async(f"Step {step}."))
    assert blocking.asked == waiting.asked


def test_a_dead_server_is_an_error_not_a_move():
    agent = ChatAgent(DeadClient(), parse=parse)
    with pytest.raises(ChatError, match="connection refused"):
        agent.act("Step 1.")
    with pytest.raises(ChatError, match="connection refused"):
        asyncio.run(agent.act_async("Step 1."))


@pytest.mark.parametrize("observation", [{"observation": [0.0]}, {"text": 3}, None])
def test_an_observation_without_text_is_refused(observation):
    with pytest.raises(TypeError, match="without text"):
        ChatAgent(RecordingClient(), parse=parse).act(observation)
