"""Who sits at a table: models by name, policies beside them."""

from __future__ import annotations

import pytest

from agents import Decision, ScriptedAgent
from agents.llm import ChatReply, TextSeat
from benchmarks.model_config import Table
from benchmarks.speakers import Speakers

NAMES_OF = {"ann": ("ann", "proposer"), "ben": ("ben",), "cleo": ("cleo", "target")}


class Client:
    def __init__(self, model, seat):
        self.model, self.seat = model, seat
        self.asked = []

    def complete(self, messages, *, seed, form=None):
        self.asked.append((messages, form))
        return ChatReply(f"{self.model} for {self.seat}", 1, 1, 0.0, "stop")


@pytest.fixture
def sit_down(models_of):
    """Seat everybody at a table; gives the agents, the clients made and the policies made."""

    def sit(*models, **settings):
        seats = settings.pop("seats", {})
        everyone, status = settings.pop("everyone"), settings.pop("status", "ok")
        clients, policies = [], []

        def make_client(model, seat):
            clients.append(Client(model, seat))
            return clients[-1]

        def make_agents(policy):
            policies.append(policy)
            return {
                seat: ScriptedAgent(lambda seen, seat=seat: (policy, seat)) for seat in NAMES_OF
            }

        def make_seat(name):
            return HeldSeat(
                parse=lambda answer: Decision(answer, status=status), rules=f"You are {name}."
            )

        agents = Speakers(models_of(*models, **settings), make_client).seat_everybody(
            Table(name="t", everyone=everyone, seats=seats),
            names_of=NAMES_OF,
            make_seat=make_seat,
            make_agents=make_agents,
        )
        return agents, clients, policies

    return sit


class HeldSeat(TextSeat):
    def form(self, steps, *, max_chars):
        return {"choice": [str(max_chars)]}


def test_a_model_speaks_for_everyone_each_seat_with_words_of_its_own(sit_down):
    agents, clients, policies = sit_down("smol", everyone="smol")
    assert list(agents) == list(NAMES_OF)
    assert [agents[seat].act("go").action for seat in agents] == [
        f"smol for {seat}" for seat in NAMES_OF
    ]
    assert [client.asked[0][0][0].content for client in clients] == [
        f"You are {seat}." for seat in NAMES_OF
    ]
    assert policies == []


def test_models_and_policies_share_a_table(sit_down):
    agents, clients, policies = sit_down(
        "smol", "large", everyone="greedy", seats={"ann": "smol", "ben": "large"}
    )
    assert [(client.model, client.seat) for client in clients] == [
        ("smol", "ann"),
        ("large", "ben"),
    ]
    assert agents["ann"].act("go").said == "smol for ann"
    assert agents["ben"].act("go").said == "large for ben"
    assert agents["cleo"].act("go") == Decision("greedy", said="cleo")
    assert policies == ["greedy"]


def test_a_seat_may_go_by_its_role_and_its_own_name_comes_first(sit_down):
    agents, _, _ = sit_down("smol", everyone="greedy", seats={"proposer": "smol", "target": "smol"})
    assert agents["ann"].act("go").said == "smol for ann"
    assert agents["ben"].act("go").action == "greedy"
    assert agents["cleo"].act("go").said == "smol for cleo"
    agents, _, _ = sit_down("smol", everyone="smol", seats={"proposer": "smol", "ann": "greedy"})
    assert agents["ann"].act("go").action == "greedy"


def test_a_policy_is_made_once_for_all_of_its_seats(sit_down):
    agents, clients, policies = sit_down("smol", everyone="greedy", seats={"ben": "saboteur"})
    assert policies == ["greedy", "saboteur"]
    assert clients == []
    assert [agents[seat].act("go").action for seat in agents] == ["greedy", "saboteur", "greedy"]


def test_a_model_plays_with_the_settings_of_its_own(sit_down):
    agents, clients, _ = sit_down(
        "smol", everyone="smol", status="missing", max_repairs=2, structured="off"
    )
    assert len(agents["ann"].act("go").calls) == 3
    assert [form for _, form in clients[0].asked] == [None] * 3
    agents, clients, _ = sit_down("smol", everyone="smol", max_chars=77)
    agents["ann"].act("go")
    assert [form for _, form in clients[0].asked] == [{"choice": ["77"]}]


def test_a_model_is_told_in_the_words_of_its_own_settings(sit_down):
    agents, clients, _ = sit_down("smol", everyone="smol", wording="synonyms", record_lines=0)
    agents["ann"].act("Pollution 7 of at most 30.\nChoose one: wait.")
    assert clients[0].asked[0][0][-1].content == "Dirt 7, never above 30.\nChoose one: wait."
