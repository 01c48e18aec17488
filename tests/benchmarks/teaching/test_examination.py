"""Examinations: what a model comes to in settings drawn anew, and how it is asked there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agents.llm import ChatError, StubClient
from benchmarks.store import open_run
from benchmarks.teaching.examination import STUDENT, Questioning, as_taught, check_folder, examine
from benchmarks.teaching.lessons import lessons_named
from cleanup_icn import ConfigError
from cleanup_icn.personas import persona

CLEANUP = lessons_named("cleanup")


def suite_of(kind="taught", *, episodes=2, lessons=CLEANUP, seed=1):
    return lessons.examination_suite(kind, episodes=episodes, seed=seed)


def answering(say):
    return {STUDENT: StubClient(say)}


def reading():
    """A client that reads its prompt and plays as the lessons' teacher does."""
    return answering(persona("cooperative").answer)


def test_who_plays_like_the_teacher_comes_to_what_it_comes_to():
    done = examine("nowhere", suite_of(), clients=reading())
    assert done.student == done.policies["division-of-labour"]
    assert done.student.main.n == 2
    assert (done.valid, set(done.policies) >= {"planner", "all-harvest"}) == (1.0, True)
    assert done.policies["planner"].main.mean == pytest.approx(1.0)
    assert done.answers >= 2 * 2 * 50


def test_answers_that_cannot_be_read_are_counted_and_played_as_waiting():
    done = examine(
        "nowhere", suite_of(episodes=1), clients=answering(lambda text, rng: "who knows")
    )
    assert (done.valid, done.student.main.mean) == (0.0, 0.0)
    every_third = iter(range(10**6))
    spoiled = examine(
        "nowhere",
        suite_of(episodes=1),
        clients=answering(lambda text, rng: "hm" if next(every_third) % 3 == 0 else "Action: wait"),
    )
    assert spoiled.valid == pytest.approx(2 / 3, abs=0.01)


def test_partners_of_others_leave_the_model_one_seat_with_a_return_of_its_own():
    done = examine("nowhere", suite_of("partners"), clients=reading())
    assert done.student.own == pytest.approx(done.policies["division-of-labour"].own)
    assert done.answers < 2 * 2 * 50
    assert "own_return" in done.to_dict()
    alone = examine("nowhere", suite_of(episodes=1), clients=reading())
    assert "own_return" not in alone.to_dict()


def test_conditions_are_told_apart_and_count_as_one_setting():
    done = examine("nowhere", suite_of("icn"), clients=reading())
    assert set(done.conditions) == {"wage", "icn"}
    assert done.student.main.n == 2
    halves = [score.main.mean for score in done.conditions.values()]
    assert done.student.main.mean == pytest.approx(sum(halves) / 2)


def test_a_model_is_asked_as_it_is_said(fake_model):
    model = fake_model()
    asked = Questioning(record_lines=1, wording="synonyms", structured="auto")
    examine("nowhere", suite_of(episodes=1), asked=asked, clients={STUDENT: model})
    told = ["\n".join(m.content for m in messages) for messages, _, _ in model.asked]
    assert all("Dirt" in each and "Pollution" not in each for each in told)
    assert any("Then dirt" in each for each in told)
    assert max(each.count("Then dirt") for each in told) == 1
    assert all(form is not None for _, _, form in model.asked)
    plain = fake_model()
    examine("nowhere", suite_of(episodes=1), clients={STUDENT: plain})
    told = ["\n".join(m.content for m in messages) for messages, _, _ in plain.asked]
    assert all("Pollution" in each and "Then pollution" not in each for each in told)
    assert all(form is None for _, _, form in plain.asked)


def test_a_run_can_be_kept_and_is_not_written_over(tmp_path):
    run = tmp_path / "run"
    done = examine("nowhere", suite_of(episodes=1), clients=reading(), out=run)
    with open_run(run) as reader:
        rows = [row for row in reader.rows() if row.policy == STUDENT]
        assert reader.is_complete
    assert sum(row.calls for row in rows) == done.answers
    with pytest.raises(ConfigError, match=r"--out = .*: expected a folder without a run in it"):
        examine("nowhere", suite_of(), clients=reading(), out=run)


def test_an_episode_without_an_answer_is_no_result(fake_model):
    def refuse(number, messages):
        if number == 3:
            raise ChatError("the model failed")

    with pytest.raises(Exception, match=r"1 episodes were not played to their end: .*failed"):
        examine("nowhere", suite_of(episodes=1), clients={STUDENT: fake_model(refuse=refuse)})


def test_the_same_model_and_seed_come_to_the_same():
    first, again = (examine("nowhere", suite_of(episodes=1), clients=reading()) for _ in range(2))
    assert replace(first, seconds=0.0) == replace(again, seconds=0.0)


def test_negotiation_is_judged_by_success_and_knows_no_other_words(fake_model):
    suite = suite_of(lessons=lessons_named("negotiation"))
    told = examine("nowhere", suite, clients={STUDENT: fake_model()}).to_dict()
    assert {"final_success", "low", "high", "n", "own_score", "valid"} <= set(told)
    assert 0.0 <= told["final_success"] <= 1.0 < told["answers"]
    with pytest.raises(ConfigError, match=r"wording = 'synonyms': expected own"):
        examine(
            "nowhere", suite, asked=Questioning(wording="synonyms"), clients={STUDENT: fake_model()}
        )


@pytest.mark.parametrize("what", ["nothing", "files"])
def test_a_folder_without_a_model_is_refused_in_one_line(tmp_path, what):
    folder = tmp_path / "model"
    if what == "files":
        folder.mkdir()
        (folder / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"^DIR = .*: expected a folder") as caught:
        check_folder(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_says_what_was_taught_and_how_to_ask(tmp_path):
    with pytest.raises(ConfigError, match="--lessons = None: expected given for a folder that doe"):
        as_taught(tmp_path)
    lessons, asked = as_taught(tmp_path, "cleanup-selfish")
    assert (lessons.name, asked) == ("cleanup-selfish", Questioning())
    write_teaching(tmp_path, {"lessons": "cleanup-abiding", "record_lines": 6})
    lessons, asked = as_taught(tmp_path)
    assert (lessons.name, asked) == ("cleanup-abiding", Questioning(record_lines=6))
    write_teaching(tmp_path, {"lessons": "cleanup-abiding", "style": "chain-of-thought"})
    assert as_taught(tmp_path)[1] == Questioning(style="chain-of-thought", max_tokens=256)
    assert as_taught(tmp_path, "cleanup")[0].name == "cleanup"
    write_teaching(tmp_path, {})
    with pytest.raises(ConfigError, match=r"--lessons = None: expected given, as teaching\.json"):
        as_taught(tmp_path)
    with pytest.raises(ConfigError, match="lessons = 'latin': expected one of cleanup"):
        as_taught(tmp_path, "latin")


def write_teaching(folder, about):
    told = {
        "student": {},
        "teaching": {},
        "about": about,
        "data_digest": "",
        "num_pairs": 1,
        "num_held_out": 0,
        "num_too_long": 0,
        "held_out_exact": None,
        "precision": "float32",
        "seconds": 1.0,
        "parameters": 1,
        "versions": {},
        "curve": [],
    }
    (folder / "teaching.json").write_text(json.dumps(told))
