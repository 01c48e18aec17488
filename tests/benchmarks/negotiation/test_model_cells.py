"""Models at the tables of a negotiation: who is asked, who hears what, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from run_folders import outcome_of, play_run, records_in

from benchmarks import kinds
from benchmarks.kinds import misfits
from benchmarks.negotiation.arena import Setting
from benchmarks.store import TABLE
from cleanup_icn import ConfigError

P1 = "SportCo"


def check_tables(arena, models):
    for problem in misfits(arena, models).values():
        raise problem


@dataclass(frozen=True, kw_only=True)
class WithSecret(Setting):
    """A setting in which every party has a word of its own on its sheet."""

    def load(self):
        game = super().load()
        return replace(
            game,
            parties=tuple(
                replace(
                    party, instructions={party.incentive: f"Your secret is {word_of(party.name)}"}
                )
                for party in game.parties
            ),
        )


def word_of(party):
    return f"canary-{sum(map(ord, party))}-{len(party)}"


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Play a suite in a folder of this name, without a figure; returns what came of it."""
    without_figure = replace(kinds.NEGOTIATION, save_figure=lambda *_: None)
    monkeypatch.setattr(kinds, "NEGOTIATION", without_figure)

    def play(suite, clients, *, name="run", **options):
        return play_run(suite, tmp_path / name, clients=clients, **options)

    return play


@pytest.fixture
def one(tiny_suite):
    """One setting, one episode, one scripted policy."""
    return replace(
        tiny_suite, policies=("best-guess",), conditions=tiny_suite.conditions[:1], num_episodes=1
    )


def turns_in(folder, policy):
    return [turn for r in records_in(folder) if r["policy"] == policy for turn in r["turns"][1:]]


def test_a_model_among_scripts_speaks_in_its_role_alone(one, play, models_of, fake_model, tmp_path):
    tables = [
        {"name": "leads", "everyone": "best-guess", "seats": {"proposer": "m"}},
        {"name": "vetoes", "everyone": "best-guess", "seats": {"veto": "m"}},
        {"name": "named", "everyone": "m", "seats": {P1: "stubborn", "proposer": "best-guess"}},
    ]
    done = play(one.with_models(models_of("m", tables=tables)), {"m": fake_model()})
    assert [row.policy for row in done.rows] == ["best-guess", "leads", "vetoes", "named"]
    speakers = {
        name: {turn["party"] for turn in turns_in(tmp_path / "run", name) if turn["calls"]}
        for name in ("leads", "vetoes", "named")
    }
    parties = set(one.conditions[0].load().party_names)
    veto = one.conditions[0].load().party_names[one.conditions[0].load().veto_index]
    assert speakers == {"leads": {P1}, "vetoes": {veto}, "named": parties - {P1}}


def test_rows_do_not_depend_on_how_many_questions_are_asked_at_a_time(
    tiny_suite, play, models_of, fake_model, tmp_path
):
    written = []
    for most in (1, 8):
        model = fake_model(garbled=0.3, latency_s=0.004)
        told = tiny_suite.with_models(models_of("m", max_in_flight=most)).with_policies(["m"])
        assert play(told, {"m": model}, name=str(most)).is_complete
        assert model.most_at_once == min(most, 4)
        written.append(outcome_of(tmp_path / str(most), TABLE))
    assert written[0] == written[1]


def test_a_lost_server_costs_no_episode_that_is_over(
    tiny_suite, play, models_of, fake_model, gone_after, tmp_path
):
    told = tiny_suite.with_models(models_of("m", max_in_flight=1))
    play(told, {"m": fake_model()}, name="undisturbed")
    done = play(told, {"m": fake_model(refuse=gone_after(70))})
    assert done.stopped
    assert 0 < done.missing < 4
    assert play(told, {"m": fake_model()}, resume=True).is_complete
    assert outcome_of(tmp_path / "run", TABLE) == outcome_of(tmp_path / "undisturbed", TABLE)


def talkative(text, rng):
    """Think aloud about the own secret where nobody else hears it; now and then answer badly."""
    secret = next((w for w in text.replace(".", " ").split() if w.startswith("canary-")), "none")
    thought = f"<SCRATCHPAD>My secret is {secret}</SCRATCHPAD>"
    if "<VOTE>" in text:
        return f"{thought}<VOTE>accept</VOTE>"
    deal = "A1,B1,C1,D1" if rng.random() < 0.3 else "A1,B1,C1,D1,E1"
    plan = f"<PLAN>Remember {secret}</PLAN>"
    return f"{thought}<ANSWER>Let us agree.</ANSWER><DEAL>{deal}</DEAL>{plan}"


@pytest.mark.parametrize("order", ["record-first", "sheet-first"])
@pytest.mark.parametrize("style", ["direct", "observe-explore-plan"])
@pytest.mark.parametrize("incentives", ["cooperative", "greedy-veto"])
def test_no_sheet_thought_or_note_reaches_another_party(
    order, style, incentives, one, play, models_of, fake_model
):
    setting = WithSecret(game="base", incentives=incentives)
    words = {party: word_of(party) for party in setting.load().party_names}
    assert len(set(words.values())) == len(words)
    suite = replace(one, conditions=(setting,), policies=("stub-erratic",))
    model = fake_model(say=talkative, forms=False)
    told = suite.with_models(models_of("m", order=order, style=style))
    assert play(told, {"m": model}).is_complete
    asked = dict.fromkeys(words, 0)
    for messages, _, _ in model.asked:
        prompt = "\n".join(message.content for message in messages)
        (party,) = [name for name in words if f"You are {name}." in prompt]
        asked[party] += 1
        assert {word for word in words.values() if word in prompt} == {words[party]}
    assert min(asked.values()) > 0


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"name": "t", "everyone": "m", "seats": {"agent_0": "m"}}, "tables.t.agent_0"),
        ({"name": "t", "everyone": "all-harvest"}, "tables.t.everyone"),
        ({"name": "t", "everyone": "m", "seats": {"veto": "planner-of-cleanup"}}, "tables.t.veto"),
    ],
)
def test_a_seat_or_policy_of_another_game_is_refused(table, named, one, models_of):
    with pytest.raises(ConfigError, match=named):
        check_tables(one, models_of("m", tables=[table]))
