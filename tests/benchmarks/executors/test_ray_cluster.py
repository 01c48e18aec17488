"""Work on a Ray cluster of this machine, some of whose workers are killed."""

from __future__ import annotations

import os
import signal
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import pytest

pytest.importorskip("ray", reason="needs commonweal[ray]")

import ray

from agents.llm import BudgetExhaustedError
from benchmarks import training
from benchmarks.arena import Cell
from benchmarks.executors.local import InProcess
from benchmarks.executors.ray_cluster import RayCluster
from benchmarks.instant_server import InstantServer
from benchmarks.model_config import Budget, RunSettings
from benchmarks.model_file import served_model
from benchmarks.work import Task, trainings_of
from cleanup_icn import ConfigError


@pytest.fixture(scope="module")
def cluster():
    """Start a cluster of two workers, once: it takes some seconds."""
    with RayCluster(2) as cluster:
        yield cluster
    assert not ray.is_initialized()


def processes():
    """Yield id, parent and title of every process there is."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
            with open(f"/proc/{name}/cmdline", "rb") as line:
                yield int(name), parent, line.read()
        except (OSError, ValueError):
            continue


def busy_workers():
    """Return the ids of the workers of this process's cluster that are at a piece of work."""
    running = list(processes())
    parents = {number: parent for number, parent, _ in running}
    return [
        number
        for number, parent, title in running
        if title.startswith(b"ray::_do_piece") and parents.get(parent) == os.getpid()
    ]


class Killer:
    """Kills a busy worker when so many episodes are kept, and another when so many more are.

    Where everybody is between two pieces of work just then, it waits for the next episode.
    """

    def __init__(self, *when):
        self.killed, self._when, self._num_kept = [], list(when), 0

    def __call__(self, kept):
        self._num_kept += 1
        busy = busy_workers() if self._when and self._num_kept >= self._when[0] else []
        if busy:
            del self._when[0]
            os.kill(busy[-1], signal.SIGKILL)
            self.killed.append(busy[-1])


def test_two_workers_give_the_episodes_of_one_process(
    cluster, arenas, tasks_of, perform, alone, capfd
):
    tasks = tasks_of(*arenas)
    expected = alone(tasks)
    played = perform(cluster, tasks)
    assert played.told == expected.told
    assert played.reported == expected.reported
    assert capfd.readouterr() == ("", "")


def test_workers_are_killed_and_the_episodes_are_the_same(
    cluster, arenas, tasks_of, perform, alone, capfd
):
    tasks = tasks_of(replace(arenas[0], policies=("random",), num_episodes=60))
    expected = alone(tasks)
    killer = Killer(10, 70)
    played = perform(cluster, tasks, keep=killer)
    assert len(set(killer.killed)) == 2
    assert not {number for number, _, _ in processes()} & set(killer.killed)
    assert played.told == expected.told
    assert played.reported == expected.reported
    assert capfd.readouterr() == ("", "")  # of dead workers too: stdout is for results


def test_nothing_to_play_is_done_at_once(perform):
    played = perform(RayCluster(2), [])
    assert (played.kept, played.reported) == ([], {})


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"fruit_initial": (5, 0)}, ValueError, "low > high"),
        ({}, ConfigError, "^contract = 'unheard-of': expected one of none, fixed, icn$"),
    ],
    ids=["any error", "wrong configuration"],
)
def test_an_error_in_a_cell_is_raised_here_as_what_it_was(
    change, error, said, cluster, arenas, perform
):
    scenario = replace(arenas[0].scenario, **change)
    arena = replace(arenas[0], scenario=scenario, policies=("random",))
    cell = Cell(policy="random", contract="none" if change else "unheard-of")
    task = Task(arena=arena, cell=cell, episodes=(0, 1, 2, 3))
    with pytest.raises(error, match=said) as raised:
        perform(cluster, [task])
    assert type(raised.value) is error


def test_when_keeping_fails_nothing_goes_on(cluster, arenas, tasks_of, perform):
    class FullDiskError(Exception):
        pass

    def keep(kept):
        raise FullDiskError

    endless = tasks_of(replace(arenas[0], policies=("random",)), episodes=range(5_000))
    with pytest.raises(FullDiskError):
        perform(cluster, endless, keep=keep)
    again = perform(cluster, tasks_of(arenas[0], episodes=[0]))  # has both workers to itself
    assert len(again.kept) == 6
    assert not busy_workers()


class Deadly:
    """Ends whatever process reads it."""

    def __reduce__(self):
        return os._exit, (1,)


def test_work_that_kills_whoever_does_it_ends_the_run(cluster, arenas, tasks_of, perform):
    deadly = replace(arenas[0], description=Deadly(), conditions=arenas[0].conditions[:1])
    tasks = [*tasks_of(arenas[1], episodes=[0]), *tasks_of(deadly, episodes=[0])]
    with pytest.raises(BrokenProcessPool, match="4 workers died over one piece"):
        perform(cluster, tasks)


@pytest.mark.slow
@pytest.mark.skipif(not training.is_available(), reason="needs commonweal[ppo]")
def test_what_a_worker_learned_comes_back_and_is_not_learned_again(
    cluster, arenas, tasks_of, perform, alone, tmp_path
):
    arena = replace(arenas[0], policies=("ppo",), conditions=arenas[0].conditions[:1])
    tasks = tasks_of(arena)
    expected = alone(tasks)
    played = perform(cluster, tasks, folder=tmp_path / "run")
    assert played.told == expected.told
    assert played.reported == expected.reported
    (wanted,) = trainings_of(tasks)
    assert wanted.is_done(tmp_path / "run")
    for resumed in (cluster, InProcess()):
        again = perform(resumed, tasks, folder=tmp_path / "run")
        assert again.told == expected.told
        assert again.reported == {"episodes": arena.num_episodes}


@pytest.fixture
def served():
    """Return an arena with a model that a server answers for, and what the model's file says."""
    pytest.importorskip("openai", reason="needs commonweal[llm]")
    with InstantServer() as server:
        yield lambda arena: (
            arena.with_models(served_model(base_urls=[server.base_url], model=server.model)),
            server.model,
        )


def test_models_asked_by_two_workers_play_the_episodes_of_one_process(
    cluster, served, arenas, tasks_of, told
):
    arena, name = served(replace(arenas[0], num_episodes=4, conditions=arenas[0].conditions[:2]))
    arena = arena.with_policies([name])

    def play(executor, killer):
        kept, seen = [], []

        def keep(each):
            killer(each)
            kept.append(each)

        done = executor.perform_models(
            tasks_of(arena), models=arena.models, keep=keep, on_status=seen.append, clients=None
        )
        assert (done.outcome.failed, done.outcome.stopped) == ([], None)
        assert seen[-1].requests == done.serving["requests"]
        assert seen[-1].in_flight == 0
        return told(kept), done.serving

    expected, serving = play(InProcess(), Killer())
    spread, serving_spread = play(cluster, Killer())
    assert spread == expected
    assert serving_spread.keys() == serving.keys()
    counts = {"requests", "prompt_tokens", "completion_tokens", "decisions", "malformed"}
    assert {name: serving_spread[name] for name in counts} == {n: serving[n] for n in counts}
    killer = Killer(2)
    assert play(cluster, killer)[0] == expected
    assert len(killer.killed) == 1


def test_when_a_workers_share_of_the_budget_is_spent_all_stop(cluster, served, arenas, tasks_of):
    arena, name = served(replace(arenas[0], num_episodes=50))
    models = replace(arena.models, budget=Budget(requests=60), run=RunSettings(max_in_flight=2))
    arena = replace(arena.with_policies([name]), models=models)
    kept = []
    done = cluster.perform_models(
        tasks_of(arena),
        models=models,
        keep=kept.append,
        on_status=lambda serving: None,
        clients=None,
    )
    assert isinstance(done.outcome.stopped, BudgetExhaustedError)
    assert str(done.outcome.stopped).startswith("the budget of 30 requests is spent")
    assert 30 <= done.serving["requests"] <= 62  # and what was in flight
    assert len(kept) < 3
