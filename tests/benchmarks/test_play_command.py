"""`commonweal play`: what a person sees, what is made of what is typed, and what came of it."""

from __future__ import annotations

import io
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm import ChatAgent, ChatReply
from benchmarks.cleanup.runner import episode_under_way
from benchmarks.driver import play as drive
from benchmarks.instant_server import InstantServer
from benchmarks.kinds import CLEANUP
from benchmarks.play import (
    Person,
    condition_named,
    negotiation_of,
    play_cleanup,
    play_negotiation,
    policy_partners,
)
from benchmarks.play_screen import legible
from cleanup_icn import CleanupConfig
from cleanup_icn.prompt import CleanupSeat
from negotiation_games import load_game

SHORT = ("--set", "horizon_steps=3")
TALK = ("--set", "num_turns=6")
DEAL = "A1,B2,C2,D2,E3"


@pytest.fixture
def play(command, monkeypatch):
    """Play with these lines typed; returns the exit code, what was written and what was said."""

    def run(*arguments, typed=()):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed)))
        return command("play", *arguments)

    return run


def test_a_game_of_cleanup_is_played_to_its_end(play):
    code, out, err = play("cleanup", "--seat", "agent_0", *SHORT, typed=("harvest", "1", "clean"))
    assert (code, err) == (0, "")
    assert out.count("2 agents share a river") == 1
    assert [f"Step {step} of 3." in out for step in range(4)] == [True, True, True, False]
    assert "Step 2: agent_0 cleaned 3" in out  # the last step too, which nobody is asked after
    assert re.search(r"agent_0 +you +4 +0 +4", out)
    assert re.search(r"Together 12 of the 1\d that could be had: efficiency 0\.\d\d\.", out)


class Typist:
    """A person who types these lines, the last of them again and again."""

    def __init__(self, seat, *lines):
        self._lines = list(lines)
        self.shown = []
        self.person = Person(seat=seat, ask=self._ask, show=lambda *s: self.shown.append(s))

    def _ask(self, _prompt):
        return self._lines.pop(0) if len(self._lines) > 1 else self._lines[0]


class Model:
    """Answers these, one after the other, and notes what it is told, line by line."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.told = set()

    def complete(self, messages, *, seed, form=None):
        self.told.update(line for message in messages for line in message.content.splitlines())
        return ChatReply(
            text=self.answers.pop(0),
            prompt_tokens=0,
            completion_tokens=0,
            latency_s=0.0,
            finish_reason="stop",
        )


def test_a_person_is_told_what_a_model_in_its_place_is_told_and_nothing_else():
    typed = [f"Action: {name}" for name in ("pass", "counter 2", "pass", "pass", "move", "clean")]
    config, condition = CleanupConfig(horizon_steps=3), condition_named("icn")
    partners = policy_partners("planner")
    typist = Typist("agent_1", *typed)
    result = play_cleanup(
        typist.person, partners=partners, config=config, condition=condition, seed=0
    )
    env, model = condition.make_env(config), Model(step.answers[1] for step in result.steps)
    agents = {
        **partners(CLEANUP, env),
        "agent_1": ChatAgent(model, CleanupSeat(env, "agent_1")),
    }
    seeds = dict(zip(result.agents, result.agent_seeds, strict=True))
    game = episode_under_way(env, agents, seed=result.seed, agent_seeds=seeds, options=result.start)
    drive(game, agents)
    assert not model.answers
    heading, what_followed = typist.shown.pop()
    assert heading == "what happened"
    assert what_followed.startswith("Step 2: ")
    assert {line for _, words in typist.shown for line in words.splitlines()} == model.told - {""}


def test_a_malformed_answer_is_complained_about_and_the_fallback_is_played_in_the_end(play):
    typed = ("fly", "swim", "2", "2")
    code, out, _ = play("cleanup", "--seat", "agent_0", *SHORT, "--max-repairs", "1", typed=typed)
    assert code == 0
    assert out.count("where <choice> is one of: wait, move, harvest.") == 1
    assert "it counts as no answer" in out
    assert "Step 0: agent_0 waited" in out
    assert "Step 1: agent_0 harvested" in out


def test_a_fixed_contract_moves_reward(play):
    _, out, _ = play(
        *("cleanup", "--seat", "agent_1", *SHORT, "--contract", "wage:0.5"),
        *("--partners", "all-harvest"),
        typed=("1", "3", "3"),
    )
    assert "the others pay every agent 0.5 for each unit cleaned" in out
    assert re.search(r"agent_0 +all-harvest +\d+ +-3 ", out)
    assert re.search(r"agent_1 +you +0 +3 +3", out)


def test_talks_are_held_and_agreed_on_by_number(play):
    typed = ("2", "", "harvest", "harvest", "harvest")
    _, out, _ = play(
        *("cleanup", "--seat", "agent_0", *SHORT, "--contract", "icn"),
        *("--partners", "contract-follower"),
        typed=typed,
    )
    assert "agent_0 proposed: Until the end: the others pay every agent 1 " in out
    assert "Talks held: 1, with an agreement: 1." in out


def test_talks_without_an_agreement_are_counted_as_such(play):
    _, out, _ = play(
        *("cleanup", "--seat", "agent_1", *SHORT, "--contract", "icn"),
        *("--partners", "contract-follower"),
        typed=("", "reject", "pass", "", "reject", "0", "0", "0"),
    )
    assert "Talks held: 1, with an agreement: 0." in out


@pytest.mark.parametrize("typed", [(), ("harvest",)])
def test_a_person_who_leaves_is_let_go_in_one_line(play, typed):
    code, out, err = play("cleanup", "--seat", "agent_0", *SHORT, typed=typed)
    assert code == 1
    assert err.strip() == "commonweal: you left before the end"
    assert "outcome" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cleanup",), "agent_0, agent_1"),
        (("cleanup", "--seat", "bob"), "agent_0, agent_1"),
        (("negotiation", "--seat", "bob"), "SportCo, proposer, Department of Tourism, veto"),
        (("negotiation", "--seat", "player"), "proposer"),
        (("negotiation", "--seat", "veto", "--game", "nope"), "base_7players"),
        (("negotiation", "--seat", "veto", "--incentives", "kind"), "cooperative, greedy-veto"),
        (("negotiation", "--seat", "veto", "--set", "turns=6"), "num_turns, voting, no_deal"),
        (("negotiation", "--seat", "veto", "--set", "num_turns=5"), "a multiple of 6"),
        (("negotiation", "--seat", "veto", "--preset", "linear"), "not for negotiation"),
        (("cleanup", "--seat", "agent_0", "--partners", "ppo"), "all-harvest"),
        (("cleanup", "--seat", "agent_0", "--contract", "wage"), "none, icn, wage:RATE"),
        (("cleanup", "--seat", "agent_0", "--contract", "wage:-1"), "0 or more"),
        (("cleanup", "--seat", "agent_0", "--contract", "share:2"), "0 to 1"),
        (("cleanup", "--seat", "agent_0", "--reveal"), "not for cleanup"),
        (("cleanup", "--seat", "agent_0", "--model", "m"), "--base-url"),
        (("cleanup", "--seat", "agent_0", "--base-url", "http://h/v1"), "--model"),
        (("chess", "--seat", "agent_0"), "cleanup, negotiation"),
    ],
)
def test_a_wrong_argument_is_answered_in_one_line_that_says_what_is_allowed(play, arguments, said):
    code, out, err = play(*arguments)
    (line,) = err.splitlines()
    assert (code, out) == (2, "")
    assert line.startswith("commonweal: ")
    assert said in line


def test_a_policy_that_has_to_be_trained_is_not_offered_as_a_partner(play):
    _, _, err = play("cleanup", "--seat", "agent_0", "--partners", "ppo")
    assert "ppo" not in err.partition("expected")[2]


def test_words_are_not_taken_for_markup(play):
    typed = f"[red]Let us[/red] meet. {DEAL}"
    _, out, _ = play("negotiation", "--seat", "veto", *TALK, typed=(typed,))
    assert f"Tourism: [red]Let us[/red] meet. <DEAL>{DEAL}</DEAL>" in out


def test_a_policy_and_a_model_cannot_both_be_the_partners(play):
    served = ("--base-url", "http://h/v1", "--model", "m")
    code, _, err = play("cleanup", "--seat", "agent_0", "--partners", "planner", *served)
    assert code == 2
    assert "not together with --model" in err


def test_a_served_model_plays_the_others(play):
    with InstantServer() as server:
        code, out, _ = play(
            *("cleanup", "--seat", "agent_0", *SHORT),
            *("--base-url", server.base_url, "--model", server.model),
            typed=("0", "0", "0"),
        )
        asked = sum(n for path, n in server.counts.items() if path.endswith("/chat/completions"))
    assert code == 0
    assert re.search(r"agent_1 +instant ", out)
    assert asked >= 3


def test_what_a_person_says_in_a_negotiation_is_heard_and_its_deal_proposed(play):
    code, out, _ = play(*("negotiation", "--seat", "veto", *TALK), typed=(f"Let us meet. {DEAL}",))
    assert code == 0
    assert f"Department of Tourism: Let us meet. <DEAL>{DEAL}</DEAL>" in out
    assert out.count("What follows is for you alone.") == 1
    assert "The final proposal was " in out
    assert "You are Department of Tourism. The proposal gives you " in out


def test_a_person_who_makes_the_final_proposal_decides_what_it_is(play):
    _, out, _ = play("negotiation", "--seat", "proposer", *TALK, typed=(DEAL, DEAL))
    assert f"The final proposal was {DEAL}" in out


def test_a_person_can_vote_where_votes_are_cast(play):
    told = []
    for vote in ("accept", "reject"):
        _, out, _ = play(
            *("negotiation", "--seat", "veto", *TALK, "--set", "voting=explicit"),
            typed=(DEAL, vote),
        )
        told.append("Tourism" in re.search(r"In favour: (.*)\.", out)[1])
    assert told == [True, False]


def test_others_scores_are_told_only_if_asked_to_be_revealed(play):
    sheets = {p.name: str(p.threshold) for p in load_game("base").parties}
    outcomes = []
    for reveal in ((), ("--reveal",)):
        _, out, _ = play("negotiation", "--seat", "veto", *TALK, *reveal, typed=(DEAL,))
        outcomes.append(out.partition("In favour: ")[2])
    for party, minimum in sheets.items():
        line = rf"^{party} .* {minimum} +\d+ *$"
        assert not re.search(line, outcomes[0], re.MULTILINE)
        assert re.search(line, outcomes[1], re.MULTILINE)


def test_the_same_seed_is_the_same_game(play):
    def game(seed):
        arguments = ("--seat", "veto", *TALK, "--seed", seed)
        return play("negotiation", *arguments, typed=(DEAL,))[1]

    assert game(1) == game(1)
    assert len({game(seed) for seed in range(4)}) > 1


def test_partners_play_as_they_would_in_a_comparison():
    typist = Typist("agent_0", "Action: harvest")
    result = play_cleanup(
        typist.person,
        partners=policy_partners("stub-selfish"),
        config=CleanupConfig(horizon_steps=2),
        condition=condition_named("none"),
        seed=3,
    )
    assert result.agents == ("agent_0", "agent_1")
    assert [step.answers[0] for step in result.steps] == ["Action: harvest"] * 2
    assert all(step.answers[1] for step in result.steps)
    assert result.start == {"pollution_initial": 0, "fruit_initial": 10}


def test_every_policy_of_a_game_can_be_a_partner_unless_it_is_trained():
    env = condition_named("none").make_env(CleanupConfig())
    env.reset(seed=0)
    for name in set(CLEANUP.policies) - {"ppo"}:
        assert set(policy_partners(name)(CLEANUP, env)) == {"agent_0", "agent_1"}


def test_a_greedy_veto_is_told_what_it_is_after():
    env = negotiation_of("base", "greedy-veto", {"num_turns": 6})
    typist = Typist("veto", f"<DEAL>{DEAL}</DEAL>")
    party = play_negotiation(typist.person, partners=policy_partners("conceder"), env=env, seed=0)
    assert party == "Department of Tourism"
    assert "Get as many points for yourself as you can" in dict(typist.shown)["your turn"]


def test_the_game_on_the_page_is_what_is_written(play):
    page = (Path(__file__).parents[2] / "docs" / "play.md").read_text(encoding="utf-8")
    line, shown = re.search(
        r"```console\n\$ commonweal play ([^\n]*)\n```\n\n```text\n(.*?)```", page, re.DOTALL
    ).groups()
    code, out, _ = play(*line.split(), typed=("1", "sweep", "clean"))
    written = re.sub("─+", "────────", out)
    assert code == 0
    assert [row.rstrip() for row in written.splitlines()] == shown.splitlines()


@given(st.text())
def test_no_words_can_steer_the_terminal(words):
    shown = legible(words)
    assert not [c for c in shown if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf")]
    shown.encode("utf-8")


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cf", "Cs"))))
def test_plain_words_are_shown_as_they_are(words):
    assert legible(words) == words


def test_hostile_words_of_a_partner_are_written_out():
    assert legible("\x1b[2J\u202e[red]") == r"\x1b[2J\u202e[red]"
