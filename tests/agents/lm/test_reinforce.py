"""A tiny student is reinforced: what went well becomes likelier, and the start is a leash."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs commonweal[lm]")
pytest.importorskip("transformers", reason="needs commonweal[lm]")

from students import save_tiny_student, signal_pair

from agents.lm.reinforce import Attempt, Reinforcer
from agents.lm.reinforcement_settings import ReinforcementSettings

COLOURS = ("red", "green", "blue", "grey")
GOOD = [signal_pair(colour, step) for colour in COLOURS for step in range(4)]
BAD = [pair._replace(answer="Action: dance") for pair in GOOD]
ATTEMPTS = [Attempt(pair, 1.0) for pair in GOOD] + [Attempt(pair, -1.0) for pair in BAD]


def settings(**values):
    return ReinforcementSettings(
        **{
            "learning_rate": 0.003,
            "warmup_steps": 0,
            "kl": 0.0,
            "batch_size": 8,
            "precision": "float32",
            **values,
        }
    )


def reinforcer(folder, *, seed=0, start=None, **values):
    return Reinforcer(folder, settings=settings(**values), seed=seed, start=start)


def mean(values):
    return sum(values) / len(values)


def test_answers_that_did_well_become_likelier_and_others_less_likely(tiny_student):
    student = reinforcer(tiny_student)
    good, bad = mean(student.log_probs(GOOD)), mean(student.log_probs(BAD))
    student.update(ATTEMPTS)
    gap = mean(student.log_probs(GOOD)) - mean(student.log_probs(BAD))
    assert gap > good - bad + 0.5


def test_an_answer_alone_becomes_likelier_if_its_advantage_is_positive_else_less_likely(
    tiny_student,
):
    for advantage in (1.0, -1.0):
        student = reinforcer(tiny_student, learning_rate=1e-4)
        (before,) = student.log_probs(GOOD[:1])
        student.update([Attempt(GOOD[0], advantage)])
        (after,) = student.log_probs(GOOD[:1])
        assert (after - before) * advantage > 0


def test_log_probabilities_are_those_of_whole_answers_and_do_not_depend_on_the_batch(tiny_student):
    student = reinforcer(tiny_student)
    together = student.log_probs([*GOOD, *BAD])
    alone = [student.log_probs([pair])[0] for pair in (*GOOD, *BAD)]
    assert together == pytest.approx(alone, abs=1e-4)
    assert all(value < 0 for value in together)


def test_without_attempts_or_advantages_nothing_changes(tiny_student):
    student = reinforcer(tiny_student)
    before = student.log_probs(GOOD)
    assert student.update([]).num_answers == 0
    assert student.log_probs(GOOD) == before
    update = student.update([Attempt(pair, 0.0) for pair in GOOD])
    assert update.num_answers == len(GOOD)
    assert student.log_probs(GOOD) == pytest.approx(before, abs=1e-5)


def test_the_divergence_is_zero_at_the_start_and_grows_with_an_update(tiny_student):
    student = reinforcer(tiny_student)
    assert student.divergence(GOOD) == 0.0
    first = student.update(ATTEMPTS)
    second = student.update(ATTEMPTS)
    assert first.kl == 0.0
    assert second.kl > 0.01
    assert 0.0 < first.entropy < 100.0


def test_the_price_of_divergence_pulls_a_student_back_to_its_start(tiny_student, tmp_path):
    strayed = reinforcer(tiny_student, learning_rate=0.001)
    strayed.update(ATTEMPTS)
    strayed.save(tmp_path / "strayed")
    held = reinforcer(
        tmp_path / "strayed", start=tiny_student, kl=100.0, learning_rate=0.001, passes=10
    )
    before = held.divergence([*GOOD, *BAD])
    held.update([Attempt(pair, 0.0) for pair in (*GOOD, *BAD)])
    assert held.divergence([*GOOD, *BAD]) < before / 2


def test_a_high_price_keeps_a_student_nearer_to_its_start(tiny_student):
    divergences = []
    for kl in (0.0, 5.0):
        student = reinforcer(tiny_student, kl=kl, passes=4)
        student.update(ATTEMPTS)
        divergences.append(student.divergence(GOOD))
    assert divergences[1] < divergences[0] / 2


def test_ratios_beyond_the_clip_have_no_effect(tiny_student):
    free = reinforcer(tiny_student, clip=0.9, passes=5).update(ATTEMPTS)
    bound = reinforcer(tiny_student, clip=0.01, passes=5).update(ATTEMPTS)
    assert 0.0 <= free.clipped < bound.clipped <= 1.0


def test_the_same_seed_gives_the_same_student_and_another_seed_another(tiny_student):
    found = []
    for seed in (0, 0, 1):
        student = reinforcer(tiny_student, seed=seed)
        student.update(ATTEMPTS)
        found.append(student.log_probs(GOOD))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_one_that_goes_on_from_a_saved_state_ends_like_one_without_a_break(tiny_student, tmp_path):
    whole = reinforcer(tiny_student, kl=0.1, warmup_steps=9)
    for _ in range(2):
        whole.update(ATTEMPTS)
    broken = reinforcer(tiny_student, kl=0.1, warmup_steps=9)
    broken.update(ATTEMPTS)
    broken.save_state(tmp_path / "state.pt")
    again = reinforcer(tiny_student, kl=0.1, warmup_steps=9)
    again.load_state(tmp_path / "state.pt")
    again.update(ATTEMPTS)
    assert again.log_probs(GOOD) == whole.log_probs(GOOD)
    assert again.divergence(GOOD) == whole.divergence(GOOD)


def test_a_saved_student_answers_like_the_one_that_was_reinforced(tiny_student, tmp_path):
    student = reinforcer(tiny_student)
    student.update(ATTEMPTS)
    student.save(tmp_path / "model")
    again = reinforcer(tmp_path / "model")
    assert again.log_probs(GOOD) == pytest.approx(student.log_probs(GOOD), abs=1e-4)
    assert (tmp_path / "model" / "tokenizer.json").is_file()


def test_saving_changes_nothing_in_the_student(tiny_student, tmp_path):
    student = reinforcer(tiny_student)
    student.save(tmp_path / "model")
    before = student.log_probs(GOOD)
    student.update(ATTEMPTS)
    assert student.log_probs(GOOD) != before


def test_questions_that_share_nothing_are_scored_as_well(tmp_path):
    from agents.llm import Message
    from agents.lm import Pair

    folder = save_tiny_student(tmp_path / "model")
    student = reinforcer(folder)
    pairs = [
        Pair((Message("user", "red"),), "Action: wait"),
        Pair((Message("system", "Rules."), Message("user", "What now?")), "Action: move"),
    ]
    alone = [student.log_probs([pair])[0] for pair in pairs]
    assert student.log_probs(pairs) == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("kl", -0.1),
        ("clip", 1.0),
        ("passes", 0),
        ("passes", 1.5),
        ("batch_size", True),
        ("max_grad_norm", 0),
        ("warmup_steps", -1),
        ("weight_decay", "none"),
        ("precision", "float64"),
    ],
)
def test_settings_that_cannot_be_name_the_field_and_what_is_allowed(name, value):
    with pytest.raises(ValueError, match=rf"^{name} = .*: expected "):
        ReinforcementSettings(**{name: value})
