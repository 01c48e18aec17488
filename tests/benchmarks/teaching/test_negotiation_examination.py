"""A negotiator examined, with a script that speaks in the model's place."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from agents.llm import ChatReply
from benchmarks.store import open_run
from benchmarks.suite import Suite
from benchmarks.suite_file import suite_named
from benchmarks.teaching.examination import STUDENT, Questioning
from benchmarks.teaching.negotiation_examination import examine_negotiator
from benchmarks.teaching.negotiation_lessons import NEGOTIATION, RECORD_LINES
from cleanup_icn import ConfigError

ASKED = Questioning(record_lines=RECORD_LINES)


class Speaker:
    """A model that answers by a rule from the last message it is sent."""

    def __init__(self, rule):
        self.rule, self.prompts = rule, []

    def complete(self, messages, *, seed, form=None):
        del seed, form
        self.prompts.append(messages)
        text = self.rule(messages[-1].content)
        return ChatReply(text, 1, 1, 0.0, "stop")

    async def complete_async(self, messages, *, seed, form=None):
        return self.complete(messages, seed=seed, form=form)


def repeat_p2(prompt):
    offers = re.findall(r"Party 2: .*(<DEAL>.*</DEAL>)", prompt)
    return offers[-1] if offers else "<DEAL>A1,B1,C1,D1</DEAL>"


def mumble(prompt):
    del prompt
    return "Well."


def examine(rule, *, kind="taught", episodes=6, **options):
    suite = NEGOTIATION.examination_suite(kind, episodes=episodes, seed=1)
    speaker = Speaker(rule)
    found = examine_negotiator("nowhere", suite, asked=ASKED, clients={STUDENT: speaker}, **options)
    return found, speaker


def test_who_repeats_p2_agrees_more_often_than_who_hears_nothing():
    found, speaker = examine(repeat_p2, episodes=12)
    told = json.loads(json.dumps(found.to_dict()))
    assert (told["baseline"], told["n"], told["valid"]) == ("no-communication", 12, 1.0)
    assert told["answers"] == len(speaker.prompts) == 12 * 4  # three talks and a final proposal
    assert told["difference"] == pytest.approx(told["success"] - told["baseline_success"])
    assert told["difference"] > 0
    assert told["difference_low"] < told["difference"] < told["difference_high"]
    assert told["success_low"] < told["success"] < told["success_high"]
    assert set(told["policies"]) == {"no-communication", "amender", "best-guess", "planner"}
    assert told["baseline_success"] == told["policies"]["no-communication"]["success"]
    assert told["baseline_own_score"] == told["policies"]["no-communication"]["own_score"]


def test_the_planner_always_agrees_and_no_table_shares_out_more_than_there_is():
    found, _ = examine(repeat_p2)
    assert found.policies["planner"].success.mean == 1.0
    for score in (found.student, *found.policies.values()):
        assert 0 <= score.efficiency.mean <= score.success.mean  # nothing where nothing passed
        assert (score.efficiency.mean == 0) == (score.success.mean == 0)


def test_answers_that_cannot_be_read_are_counted_and_agree_on_nothing():
    found, _ = examine(mumble)
    assert found.valid == 0.0
    assert found.student.success.mean == found.student.efficiency.mean == 0.0
    assert found.success.difference == -found.success.base_mean


def test_a_model_is_shown_its_own_sheet_alone_and_the_last_lines_of_the_record():
    _, speaker = examine(repeat_p2, episodes=2)
    for messages in speaker.prompts:
        asked = messages[-1].content
        assert asked.count("Your minimum score:") == 1
        assert "You are Party 1." in asked
        assert 1 <= len(re.findall(r"^\[\d+\] ", asked, re.MULTILINE)) <= RECORD_LINES


def test_a_responder_is_compared_with_who_insists():
    found, speaker = examine(mumble, kind="responder", episodes=4)
    assert found.baseline == "stubborn"
    seats = {re.search("You are (Party .)", m[-1].content)[1] for m in speaker.prompts}
    assert seats == {"Party 2", "Party 3"}


def test_the_run_is_kept_where_it_is_wanted(tmp_path):
    examine(repeat_p2, episodes=1, out=tmp_path / "run")
    with open_run(tmp_path / "run") as reader:
        assert {row.policy for row in reader.rows()} >= {STUDENT, "planner"}


@pytest.mark.parametrize(
    ("arena", "wrong"),
    [
        (suite_named("cleanup-smoke").arenas[0], "lessons = 'cleanup'"),
        (replace(suite_named("negotiation-smoke").arenas[0], num_episodes=1), "seat = None"),
    ],
)
def test_an_arena_that_is_no_examination_of_a_negotiator_is_refused(arena, wrong):
    with pytest.raises(ConfigError, match=wrong):
        examine_negotiator("nowhere", Suite.of(arena))
