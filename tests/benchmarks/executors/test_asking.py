"""Models asked piece by piece, by workers that die, without a cluster."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from agents.llm import BudgetExhaustedError, ChatError, ServerGoneError
from benchmarks.executors.asking import AskModels
from benchmarks.executors.pieces import EPISODE, STATUS, do_piece
from benchmarks.model_config import Budget, ClientSpec, RunSettings

NUM_EPISODES = 40


@pytest.fixture
def asked(arenas, models_of, tasks_of, told):
    """Make a plan of models that answer at once; also returns what was kept and seen so far."""

    def make(*, client=None, kind="stub", num_workers=2, num_episodes=NUM_EPISODES, **run):
        named = models_of("fake")
        spec = replace(named.models["fake"], client=ClientSpec(kind=kind))
        models = replace(
            named,
            models={"fake": spec},
            budget=Budget(**run.pop("budget", {})),
            run=RunSettings(**{"max_in_flight": 4, **run}),
        )
        arena = replace(
            arenas[1].with_models(models),
            policies=("fake",),
            conditions=arenas[1].conditions[:2],
            num_episodes=num_episodes,
        )
        kept, seen = [], []
        plan = AskModels(
            tasks_of(arena),
            models=models,
            keep=kept.append,
            on_status=seen.append,
            clients=None if client is None else {"fake": client},
            num_workers=num_workers,
        )
        return plan, SimpleNamespace(kept=kept, told=lambda: told(kept), seen=seen)

    return make


def test_no_more_workers_ask_than_there_are_shares(asked):
    plan, _ = asked(num_workers=8, max_in_flight=3)
    assert len(list(iter(plan.next_piece, None))) == 3


def test_first_episodes_come_first_and_each_is_in_one_piece(asked, carry_out):
    plan, so_far = asked(num_workers=1)
    begun = carry_out(plan)
    sent = [k for piece in begun for t in piece.work.keywords["tasks"] for k in t.episodes]
    assert len(sent) == len(so_far.told()) == 2 * NUM_EPISODES
    firsts = [k for task in begun[0].work.keywords["tasks"] for k in task.episodes]
    assert max(firsts) < NUM_EPISODES / 2 - 5


def test_pieces_are_large_enough_to_keep_models_busy(asked):
    for num_episodes, size in [(3, 3), (16, 16), (40, 16), (400, 100)]:
        plan, _ = asked(num_workers=2, num_episodes=num_episodes)
        assert len(plan.next_piece().wanted) == size


def test_a_model_that_is_loaded_for_it_is_loaded_once_a_worker(asked):
    plan, _ = asked(kind="vllm")
    pieces = list(iter(plan.next_piece, None))
    assert [len(piece.wanted) for piece in pieces] == [NUM_EPISODES] * 2
    assert [piece.num_gpus for piece in pieces] == [1, 1]


def test_whoever_dies_when_every_episode_is_kept_once_and_nothing_is_lost(asked, carry_out):
    whole, expected = asked(num_episodes=6, num_workers=1)
    carry_out(whole)
    plan, so_far = asked(num_episodes=6)
    begun = carry_out(plan, dies=lambda piece, number: number in (3, 4, 9))
    assert len(begun) > 3
    assert so_far.told() == expected.told()
    outcome = plan.served().outcome
    assert (outcome.failed, outcome.stopped) == ([], None)


def test_an_episode_that_comes_twice_is_kept_once(asked):
    plan, so_far = asked(num_episodes=2)
    piece = plan.next_piece()
    messages = [each for batch in do_piece(piece.work, piece.files) for each in batch]
    kept = [plan.hear(piece, message) for message in messages * 2 if message[0] == EPISODE]
    assert kept == [True, True, False, False]
    assert len(so_far.told()) == 2


def test_what_workers_did_adds_up(asked, carry_out):
    whole, _ = asked(num_episodes=4, num_workers=1)
    carry_out(whole)
    plan, so_far = asked(num_episodes=4, num_workers=2)
    assert len(carry_out(plan)) == 2
    counts = {"requests", "prompt_tokens", "completion_tokens", "decisions", "malformed"}
    told, expected = plan.served().serving, whole.served().serving
    assert told.keys() == expected.keys()
    assert {name: told[name] for name in counts} == {name: expected[name] for name in counts}
    assert told["requests"] == sum(each.row.calls for each in so_far.kept) > 0
    assert so_far.seen[-1].requests == told["requests"]
    assert so_far.seen[-1].in_flight == 0
    assert 1 <= told["most_in_flight"] <= 4


def test_what_a_dead_worker_had_spent_is_counted(asked):
    plan, so_far = asked(num_episodes=2, budget={"requests": 1000})
    piece = plan.next_piece()
    told = [each for batch in do_piece(piece.work, piece.files) for each in batch]
    spent = [serving for what, serving in told if what == STATUS][-1].requests
    for message in told[:-1]:
        if message[0] == STATUS:
            plan.hear(piece, (STATUS, replace(message[1], in_flight=2)))
    plan.lose(piece)
    assert plan.served().serving["requests"] == spent > 0
    again = plan.next_piece()
    assert again.wanted == piece.wanted
    assert again.work.keywords["models"].budget.requests == (1000 - spent) // 2
    plan.hear(again, (STATUS, replace(so_far.seen[0], in_flight=1)))
    assert (so_far.seen[-1].in_flight, so_far.seen[-1].limit) == (1, 2)  # the dead ask nothing


def test_a_budget_is_never_overspent_by_more_than_what_was_in_flight(asked, carry_out):
    plan, so_far = asked(budget={"requests": 500})
    carry_out(plan)
    outcome, serving = plan.served().outcome, plan.served().serving
    assert isinstance(outcome.stopped, BudgetExhaustedError)
    assert str(outcome.stopped) == (
        "the budget of 250 requests is spent, the share of one of 2 workers"
    )
    assert 250 <= serving["requests"] <= 500
    assert 0 < len(so_far.kept) < 2 * NUM_EPISODES


def test_a_run_whose_budget_is_spent_stops(asked, carry_out):
    plan, _ = asked(num_workers=1, budget={"seconds": 1e-9})
    assert carry_out(plan) == []
    assert str(plan.served().outcome.stopped) == "the budget is spent"


def test_when_one_worker_must_stop_all_do(asked, carry_out, fake_model, gone_after):
    plan, so_far = asked(client=fake_model(refuse=gone_after(100)))
    begun = carry_out(plan)
    assert plan.is_stopped
    assert len(begun) == 1
    assert isinstance(plan.served().outcome.stopped, ServerGoneError)
    assert len(so_far.kept) < len(begun[0].wanted)


def test_episodes_without_an_answer_are_named_and_hold_up_no_others(asked, carry_out, fake_model):
    def refuse(number, messages):
        if number in (1, 400):
            raise ChatError("no answer")

    plan, so_far = asked(client=fake_model(refuse=refuse), num_episodes=20)
    carry_out(plan)
    failed = plan.served().outcome.failed
    assert [why for _, why in failed] == ["no answer"] * 2
    assert len(so_far.told()) == 2 * 20 - 2
    keys = {(job.cell.contract, job.episode) for job, _ in failed}
    assert len(keys) == 2
    assert not keys & {(each.row.contract, each.row.episode) for each in so_far.kept}
