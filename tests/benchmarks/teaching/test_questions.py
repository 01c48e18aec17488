"""Questions found again from records: those that a model was asked, and nobody else's secrets."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

import pytest
from run_folders import begin_run, kept_in, play_run
from stored_episodes import play_alone

from benchmarks.cleanup import figure
from benchmarks.kinds import read_record
from benchmarks.model_config import JudgeSpec, Table
from benchmarks.negotiation import figure as negotiation_figure
from benchmarks.negotiation.arena import Setting
from benchmarks.store import open_run
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named
from benchmarks.teaching.questions import questions_of
from cleanup_icn import ConfigError
from negotiation_games import Game, Incentive, Issue, Party, Role
from negotiation_games.load import write_game

TALKS = replace(suite_named("negotiation-smoke").arenas[0], num_episodes=1)


def questions(out, **options):
    with open_run(out) as reader:
        return list(questions_of(reader, **options))


@pytest.fixture(scope="module")
def played(tiny_suite, tmp_path_factory):
    """Both games: scripts, and stubs some of whose answers cannot be read."""
    river = replace(tiny_suite, name="river", num_episodes=1)
    talks = replace(
        TALKS,
        name="talks",
        conditions=TALKS.conditions[:2],
        policies=("stub-erratic", "best-guess"),
        shown_policy="best-guess",
    )
    out = tmp_path_factory.mktemp("runs") / "run"
    play_alone(Suite(name="both", description="", arenas=(river, talks)), out)
    return out


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Play a suite with models, without figures; returns the folder."""
    monkeypatch.setattr(figure, "save_figure", lambda *_: None)
    monkeypatch.setattr(negotiation_figure, "save_figure", lambda *_: None)

    def play(suite, clients):
        assert play_run(suite, tmp_path / "run", clients=clients).is_complete
        return tmp_path / "run"

    return play


# --- the prompts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("record_lines", [None, 0, 2])
def test_the_prompts_are_those_that_a_model_was_asked_word_for_word(
    tiny_suite, play, models_of, fake_model, record_lines
):
    model = fake_model(garbled=0.2)
    told = replace(tiny_suite, policies=("stub-erratic",), num_episodes=1).with_models(
        models_of("m", max_repairs=0, style="observe-explore-plan", record_lines=record_lines)
    )
    out = play(told, {"m": model})
    found = questions(out, record_lines=record_lines, style="observe-explore-plan")
    assert Counter(each.pair.messages for each in found) == Counter(
        messages for messages, *_ in model.asked
    )
    said = [text for kept in kept_in(out) for s in kept.record["steps"] for text in s["answers"]]
    assert [each.pair.answer for each in found] == said
    assert {each.status for each in found} > {"ok"}
    assert any("Your notes to yourself" in each.pair.messages[-1].content for each in found)


@pytest.mark.parametrize("wording", ["varied", "synonyms"])
def test_the_prompts_in_a_wording_are_those_of_a_model_that_is_asked_in_it(
    tiny_suite, play, models_of, fake_model, wording
):
    model = fake_model()
    told = replace(tiny_suite, policies=("stub-erratic",), num_episodes=1)
    asked = {"wording": wording, "style": "observe-explore-plan", "max_repairs": 0}
    out = play(told.with_models(models_of("m", **asked)), {"m": model})
    style = asked["style"]
    found = questions(out, record_lines=None, style=style, wording=wording)
    assert Counter(each.pair.messages for each in found) == Counter(
        messages for messages, *_ in model.asked
    )
    own = questions(out, record_lines=None, style=style)
    assert [each.pair.answer for each in found] == [each.pair.answer for each in own]
    assert [each.pair.messages for each in found] != [each.pair.messages for each in own]


def test_a_negotiation_is_told_in_no_other_words(played):
    with pytest.raises(ConfigError, match="--wording = 'varied': expected own: talks is told in"):
        questions(played, wording="varied")
    with pytest.raises(ConfigError, match="wording = 'latin': expected one of own"):
        questions(played, wording="latin")


def test_the_prompts_of_a_negotiation_are_those_that_a_model_was_asked(play, models_of, fake_model):
    model = fake_model()
    told = replace(TALKS, conditions=TALKS.conditions[:1], policies=("stub-cooperative",))
    out = play(told.with_models(models_of("m", max_repairs=0)), {"m": model})
    found = questions(out, record_lines=None)
    assert [each.pair.messages for each in found] == [messages for messages, *_ in model.asked]
    assert [each.phase for each in found][-2:] == ["discuss", "final"]
    assert [each.step for each in found] == list(range(len(found)))


def test_a_model_that_judges_is_answered_from_the_record(tiny_suite, play, models_of, fake_model):
    negotiated = tuple(c for c in tiny_suite.conditions if hasattr(c, "judge"))
    told = replace(tiny_suite, conditions=negotiated, policies=("stub-erratic",), num_episodes=1)
    models = replace(models_of("m"), judge=JudgeSpec(model="m", every_steps=7))
    out = play(told.with_models(models), {"m": fake_model()})
    judged = [kept for kept in kept_in(out) if kept.record["judge_calls"]]
    assert judged
    found = questions(out)
    for kept in judged:
        own = [each for each in found if _is_of(each, kept.row)]
        assert len(own) == 2 * len(kept.record["steps"])


def test_a_repaired_answer_counts_and_the_one_before_it_does_not(
    tiny_suite, play, models_of, fake_model
):
    told = replace(tiny_suite, policies=("stub-erratic",), num_episodes=1)
    out = play(told.with_models(models_of("m")), {"m": fake_model(garbled=0.3)})
    found = questions(out)
    last = [
        calls[-1]["text"]
        for kept in kept_in(out)
        for step in kept.record["steps"]
        for calls in step["calls"]
    ]
    assert [each.pair.answer for each in found] == last
    assert {message.role for each in found for message in each.pair.messages} == {"system", "user"}


# --- the answers ---------------------------------------------------------------------------------


def test_every_question_of_every_episode_is_there_once(played):
    asked = Counter(
        (each.arena, each.policy, each.condition, each.episode) for each in questions(played)
    )
    expected = {}
    for kept in kept_in(played):
        record = kept.record
        steps = 2 * len(record["steps"]) if "steps" in record else len(record["turns"]) - 1
        row = kept.row
        expected[row.arena, row.policy, row.contract, row.episode] = steps
    assert asked == expected


def test_answers_that_were_read_mean_what_was_played(played):
    """Played again by the answers alone, episodes come to the same."""
    suite = Suite.from_dict(json.loads(json.dumps(_about(played)["suite"])))
    found = questions(played)
    for kept in kept_in(played):
        arena = suite.arena(kept.row.arena)
        result = read_record(arena, kept.record)
        if not hasattr(result, "steps"):
            continue
        own = iter(each for each in found if _is_of(each, kept.row))
        env = arena.condition(result.contract).make_env(arena.scenario.config)
        _, infos = env.reset(seed=result.seed, options=result.start)
        for step in result.steps:
            asked = [next(own) for _ in result.agents]
            parsed = [env.unwrapped.parse_answer(a.agent, a.pair.answer) for a in asked]
            assert [str(read.status) for read in parsed] == list(step.statuses)
            actions = [read.action for read in parsed]
            infos = env.step(dict(zip(result.agents, actions, strict=True)))[-1]
        assert infos["agent_0"]["step"] == len(result.optimum_by_step)


def _about(out):
    with open_run(out) as reader:
        return reader.about


def _is_of(asked, row):
    return (asked.arena, asked.policy, asked.condition, asked.episode) == (
        row.arena,
        row.policy,
        row.contract,
        row.episode,
    )


def test_players_without_words_answer_with_the_shortest_line(played):
    found = [each for each in questions(played) if each.player in ("all-harvest", "best-guess")]
    assert all(each.pair.answer == each.choice for each in found)
    shapes = {re.sub(r"[A-Z]?\d+", "N", each.choice) for each in found}
    assert shapes >= {"Action: harvest", "Action: pass", "<DEAL>N,N,N,N,N</DEAL>"}


def test_what_could_not_be_read_has_no_shorter_form(played):
    found = [each for each in questions(played) if each.player == "stub-erratic"]
    assert all(bool(each.choice) == (each.status == "ok") for each in found)
    assert not all(each.choice for each in found)
    assert all(each.pair.answer != each.choice for each in found if each.choice)


def test_without_scratchpads_answers_keep_public_words_and_notes_alone(played):
    found = questions(played, scratchpads=False)
    talks = [each for each in found if each.arena == "talks" and each.policy == "stub-erratic"]
    assert all(each.status == "ok" for each in found)
    assert any("<PLAN>" in each.pair.answer for each in talks)
    assert not any("SCRATCHPAD" in each.pair.answer for each in found)
    assert all(each.pair.answer.startswith("<ANSWER>") for each in talks)
    whole = questions(played)
    assert any("SCRATCHPAD" in each.pair.answer for each in whole)
    river = [each for each in found if each.arena == "river"]
    assert all(each.pair.answer == each.choice for each in river)


def test_half_a_character_is_replaced(tiny_suite, play, models_of, fake_model):
    model = fake_model(say=lambda _words, _rng: "\ud83d\nAction: wait", forms=False)
    told = replace(tiny_suite, policies=("stub-erratic",), conditions=tiny_suite.conditions[:1])
    out = play(told.with_models(models_of("m")), {"m": model})
    assert {each.pair.answer for each in questions(out)} == {"?\nAction: wait"}


# --- who and how much ----------------------------------------------------------------------------


def test_returns_are_the_agents_own_after_transfers(played):
    found = questions(played)
    for kept in kept_in(played):
        own = [each for each in found if _is_of(each, kept.row)]
        record = kept.record
        for index, agent in enumerate(record.get("agents", record.get("parties", ()))):
            mine = [each for each in own if each.agent == agent]
            if "steps" in record:
                earned = [s["game_rewards"][index] + s["transfers"][index] for s in record["steps"]]
                to_go = [sum(earned[n:]) for n in range(len(earned))]
            else:
                to_go = [record["rewards"][index]] * len(mine)
            assert [each.return_to_go for each in mine] == pytest.approx(to_go)
            assert all(each.episode_return == pytest.approx(to_go[0]) for each in mine)


def test_everybody_is_named_by_who_sits_there(tiny_suite, tmp_path):
    table = Table(name="among", everyone="all-harvest", seats={"agent_1": "division-of-labour"})
    arena = replace(tiny_suite, policies=("among",), shown_policy="among", lineups=(table,))
    play_alone(Suite.of(arena), tmp_path)
    found = questions(tmp_path)
    assert {(each.policy, each.agent, each.player) for each in found} == {
        ("among", "agent_0", "all-harvest"),
        ("among", "agent_1", "division-of-labour"),
    }


def test_only_episodes_that_are_wanted_are_looked_at(played):
    found = questions(played, wanted=lambda row: row.policy == "best-guess")
    assert {each.policy for each in found} == {"best-guess"}


# --- another's answers in their place ------------------------------------------------------------


def test_relabelled_questions_have_the_policys_answers_and_the_players_names(tiny_suite, tmp_path):
    arena = replace(tiny_suite, policies=("all-harvest", "division-of-labour"), num_episodes=1)
    play_alone(Suite.of(arena), tmp_path)
    said = questions(tmp_path)
    taught = questions(tmp_path, relabel="division-of-labour")
    assert [each.pair.messages for each in taught] == [each.pair.messages for each in said]
    assert [each.player for each in taught] == [each.player for each in said]
    same = [a.pair.answer == b.pair.answer for a, b in zip(said, taught, strict=True)]
    own = [each.player == "division-of-labour" for each in said]
    assert all(each for each, is_own in zip(same, own, strict=True) if is_own)
    assert not all(same)
    assert {each.status for each in taught} == {"ok"}


def test_a_teacher_that_is_asked_to_thinks_before_the_same_answer(tiny_suite, tmp_path):
    arena = replace(tiny_suite, policies=("all-harvest",), num_episodes=1)
    play_alone(Suite.of(arena), tmp_path)
    teacher = "division-of-labour"
    bare = questions(tmp_path, relabel=teacher)
    thinking = questions(tmp_path, relabel=teacher, style="chain-of-thought")
    assert [each.choice for each in thinking] == [each.choice for each in bare]
    for silent, aloud in zip(bare, thinking, strict=True):
        is_asked = "Think step by step" in aloud.pair.messages[-1].content
        thought, _, said = aloud.pair.answer.rpartition("</SCRATCHPAD>\n")
        assert said == silent.pair.answer
        assert bool(thought) == is_asked
        assert aloud.status == "ok"
    assert any(" to clean, " in each.pair.answer for each in thinking)
    hidden = questions(tmp_path, relabel=teacher, style="chain-of-thought", scratchpads=False)
    assert [each.pair.answer for each in hidden] == [each.pair.answer for each in bare]


@pytest.mark.parametrize(
    ("teacher", "style", "allowed"),
    [
        ("planner", "chain-of-thought", "direct: planner has no other thoughts"),
        ("division-of-labour", "social", "direct or chain-of-thought: division-of-labour has no"),
    ],
)
def test_thoughts_that_a_teacher_does_not_have_are_refused(
    tiny_suite, tmp_path, teacher, style, allowed
):
    arena = replace(tiny_suite, policies=("all-harvest",), num_episodes=1)
    play_alone(Suite.of(arena), tmp_path)
    with pytest.raises(ConfigError, match=f"--style = '{style}': expected {allowed}"):
        questions(tmp_path, relabel=teacher, style=style)


def test_relabelling_a_negotiation_leaves_no_notes_of_the_players(played):
    def talks(**options):
        found = questions(played, **options)
        return [each.pair.messages[-1].content for each in found if each.arena == "talks"]

    assert any("Your notes from your last turn" in words for words in talks())
    with pytest.raises(ConfigError, match="relabel"):
        questions(played, relabel="best-guess")  # no policy of the other game


def test_notes_of_others_are_in_no_relabelled_prompt(tmp_path):
    arena = replace(TALKS, policies=("stub-erratic",), shown_policy="stub-erratic")
    play_alone(Suite.of(replace(arena, conditions=arena.conditions[:1])), tmp_path)
    found = questions(tmp_path, relabel="best-guess", record_lines=None)
    assert not any("Your notes from" in each.pair.messages[-1].content for each in found)
    assert all(each.pair.answer.startswith("<DEAL>") for each in found)


@pytest.mark.parametrize("name", ["stub-erratic", "random", "ppo"])
def test_only_a_scripted_policy_answers_in_anothers_place(played, name):
    with pytest.raises(ConfigError, match="--relabel"):
        questions(played, relabel=name)


def test_fewer_record_lines_than_none_are_refused(played):
    with pytest.raises(ValueError, match="record_lines = -1"):
        questions(played, record_lines=-1)


def test_an_episode_that_goes_another_way_is_refused_by_name(played, tmp_path):
    suite = Suite.from_dict(_about(played)["suite"])
    kept = next(each for each in kept_in(played) if "steps" in each.record)
    changed = json.loads(json.dumps(kept.record))
    changed["steps"][3]["pollution"] += 1
    begin_run(suite, tmp_path, [replace(kept, record=changed)])
    with pytest.raises(ConfigError, match=r"river, .*, episode 0.*pollution: .* was recorded"):
        questions(tmp_path)


# --- secrets -------------------------------------------------------------------------------------

THOUGHT, NOTED, ROLE = "Scanary{}x", "Pcanary{}x", "Icanary{}x"


def with_canaries(folder):
    """Write a game with a word in every role text, and scores that no other party has."""
    issues = tuple(Issue(f"matter {n}", ("low", "middle", "high")) for n in range(3))
    roles = (Role.PROPOSER, Role.VETO, Role.PLAYER, Role.PLAYER)
    parties = tuple(
        Party(
            name=f"party {i}",
            role=role,
            incentive=Incentive.COOPERATIVE,
            scores=tuple(
                tuple(7000 + 100 * i + 10 * issue + option for option in range(3))
                for issue in range(3)
            ),
            threshold=3 * (7000 + 100 * i) + 33,
            instructions={kind: f"Remember {ROLE.format(i)}." for kind in Incentive},
        )
        for i, role in enumerate(roles)
    )
    game = Game("canaries", issues, parties, initial_deal=(0, 0, 0), scenario="A test.")
    write_game(game, folder)
    return game


def secrets_of(game, index):
    party = game.parties[index]
    figures = {str(points) for row in party.scores for points in row} | {str(party.threshold)}
    return figures | {word.format(index) for word in (THOUGHT, NOTED, ROLE)}


@pytest.mark.parametrize("record_lines", [0, None])
def test_no_pair_holds_anothers_sheet_thoughts_or_notes(
    tmp_path, play, models_of, fake_model, record_lines
):
    game = with_canaries(tmp_path / "game")

    def say(words, _rng):
        index = next(i for i, p in enumerate(game.parties) if f"You are {p.name}." in words)
        return (
            f"<SCRATCHPAD>{THOUGHT.format(index)} {game.parties[index].scores}</SCRATCHPAD>"
            f"<ANSWER>Let us agree.</ANSWER><DEAL>A1,B2,C{index % 3 + 1}</DEAL>"
            f"<PLAN>{NOTED.format(index)}</PLAN>"
        )

    setting = Setting(game=str(tmp_path / "game"), incentives="cooperative")
    arena = replace(TALKS, conditions=(setting,), policies=("stub-cooperative",))
    out = play(arena.with_models(models_of("m")), {"m": fake_model(say=say, forms=False)})
    found = questions(out, record_lines=record_lines)
    assert {each.agent for each in found} == set(game.party_names)
    for each in found:
        own = game.party_names.index(each.agent)
        told = "\n".join(message.content for message in each.pair.messages)
        for index in range(len(game.parties)):
            seen = {word for word in secrets_of(game, index) if word in told + each.pair.answer}
            if index == own:
                assert {ROLE.format(index), str(game.parties[index].threshold)} <= seen
            else:
                assert not seen
        assert THOUGHT.format(own) not in told  # one's own are forgotten: a model is told anew
        assert THOUGHT.format(own) in each.pair.answer
    assert any(NOTED[:7] in each.pair.messages[-1].content for each in found)


def test_the_thoughts_of_an_agent_of_cleanup_are_in_no_prompt(
    tiny_suite, play, models_of, fake_model
):
    def say(words, _rng):
        agent = re.search("You are (agent_.)", words)[1]
        return f"<SCRATCHPAD>S{agent}x</SCRATCHPAD><PLAN>P{agent}x</PLAN>\nAction: wait"

    told = replace(tiny_suite, policies=("stub-erratic",), num_episodes=1)
    models = models_of("m", max_repairs=0)
    out = play(told.with_models(models), {"m": fake_model(say=say, forms=False)})
    for each in questions(out, record_lines=None):
        told = "\n".join(message.content for message in each.pair.messages)
        other = "agent_1" if each.agent == "agent_0" else "agent_0"
        assert "Sagent" not in told
        assert f"P{other}x" not in told
        assert (f"P{each.agent}x" in told) == ("Your notes" in told)
    assert any(f"P{each.agent}x" in each.pair.messages[-1].content for each in questions(out))
