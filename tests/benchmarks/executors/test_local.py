"""Work in one process and in several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.arena import cells_of
from benchmarks.executors.local import InProcess, Processes, local_executor, neighbours
from benchmarks.work import Task, play_task


def test_so_many_workers_are_so_many_processes_and_none_is_this_one():
    assert isinstance(local_executor(0), InProcess)
    assert local_executor(3) == Processes(3)


def test_one_process_plays_in_the_order_of_tables(arenas, tasks_of, perform):
    tasks = tasks_of(*arenas)
    played = perform(InProcess(), tasks)
    wanted = [(t.arena.name, t.cell.policy, t.cell.contract, k) for t in tasks for k in t.episodes]
    assert [each.row.key for each in played.kept] == wanted
    assert played.reported == {"episodes": len(wanted)}


def test_processes_give_the_episodes_of_one(arenas, tasks_of, perform, alone):
    tasks = tasks_of(*arenas, episodes=[0])
    expected = alone(tasks)
    played = perform(Processes(2), tasks)
    assert played.told == expected.told
    assert played.reported == expected.reported


def numbered(*sizes):
    """Return tasks of so many episodes; nothing else is looked at."""
    return [Task(arena=None, cell=None, episodes=tuple(range(size))) for size in sizes]


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(1, 12))
def test_batches_are_all_tasks_in_their_order(sizes, num_batches):
    tasks = numbered(*sizes)
    batches = neighbours(tasks, num_batches=num_batches)
    assert [task for batch in batches for task in batch] == tasks
    most = sum(sizes) // num_batches
    assert all(len(b) == 1 or sum(len(t.episodes) for t in b) <= most for b in batches)


def test_many_small_tasks_stay_with_their_neighbours_and_few_large_ones_go_alone():
    small, large = numbered(*[1] * 40), numbered(*[20] * 6)
    assert [len(batch) for batch in neighbours(small, num_batches=4)] == [10, 10, 10, 10]
    assert [len(batch) for batch in neighbours(large, num_batches=32)] == [1] * 6


def test_only_the_episodes_asked_for_are_played(arenas, perform):
    arena = arenas[0]
    first, second = cells_of(arena)[:2]
    played = perform(
        InProcess(),
        [
            Task(arena=arena, cell=first, episodes=(1,)),
            Task(arena=arena, cell=second, episodes=(0, 7)),
        ],
    )
    assert [(k.row.contract, k.row.episode) for k in played.kept] == [
        (first.contract, 1),
        (second.contract, 0),
        (second.contract, 7),
    ]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_nothing_to_play_is_done_at_once(num_workers, perform):
    played = perform(local_executor(num_workers), [])
    assert (played.kept, played.reported) == ([], {})


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_error_in_a_cell_is_raised_here(num_workers, arenas, tasks_of, perform):
    impossible = replace(arenas[0].scenario, fruit_initial=(5, 0))
    tasks = tasks_of(replace(arenas[0], scenario=impossible, policies=("random",)), episodes=[0])
    with pytest.raises(ValueError, match="low > high"):
        perform(local_executor(num_workers), tasks)


def test_the_episodes_of_a_task_are_given_as_they_are_played(arenas, tmp_path):
    endless = Task(arena=arenas[0], cell=cells_of(arenas[0])[0], episodes=range(10**9))
    playing = play_task(endless, folder=tmp_path)
    assert [next(playing).row.episode, next(playing).row.episode] == [0, 1]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_models_are_asked_from_this_process(
    num_workers, arenas, fake_model, models_of, tasks_of, told
):
    models = models_of("fake")
    arena = replace(arenas[0].with_models(models), policies=("fake",))
    model, kept, seen = fake_model(), [], []
    with local_executor(num_workers) as executor:
        served = executor.perform_models(
            tasks_of(arena),
            models=models,
            keep=kept.append,
            on_status=seen.append,
            clients={"fake": model},
        )
    assert len(told(kept)) == arena.num_episodes * len(arena.conditions)
    assert served.serving["requests"] == len(model.asked) == sum(each.row.calls for each in kept)
    assert seen[-1].requests == len(model.asked)


ENDLESS = """
import os, signal, sys, time
from pathlib import Path
from benchmarks.arena import Cell
from benchmarks.executors.local import Processes
from benchmarks.suite_file import suite_named
from benchmarks.work import Task

def keep(kept):
    print("kept", flush=True)
    time.sleep(1)  # meanwhile more comes than the way to here holds

def main():
    arena = suite_named("cleanup-smoke").arenas[0]
    cells = [Cell(policy="random", contract=name) for name in ("none", "icn")]
    Processes(2).perform(
        [Task(arena=arena, cell=cell, episodes=tuple(range(10**6))) for cell in cells],
        folder=Path(),
        report=lambda kind, amount: None,
        keep=keep,
    )
    print("over")

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=lambda sign: sign.name)
def test_no_process_of_a_run_outlives_it(sign, tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        start_new_session=True,
    ) as parent:
        try:
            assert [parent.stdout.readline() for _ in range(3)] == [b"kept\n"] * 3
            # Ctrl-C reaches all processes of a terminal, kill -9 the one it names.
            (os.killpg if sign == signal.SIGINT else os.kill)(parent.pid, sign)
            # Every process of the run has this pipe: it ends with the last of them.
            said = parent.communicate(timeout=60)[0]
        finally:
            _end_group(parent.pid)
    assert b"over" not in said
    assert parent.returncode != 0


def _end_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def children():
    """Return the ids of this process's children that are at work for it."""
    found = []
    for folder in os.scandir("/proc"):
        try:
            with open(f"{folder.path}/stat", encoding="utf-8") as stat:
                parent = int(stat.read().rpartition(")")[2].split()[1])
            with open(f"{folder.path}/cmdline", "rb") as line:
                if parent == os.getpid() and b"spawn_main" in line.read():
                    found.append(int(folder.name))
        except (OSError, ValueError):
            continue
    return found


def test_a_process_that_dies_ends_the_run_and_what_it_told_is_kept(arenas, tasks_of, perform):
    kept = []

    def kill_one(each):
        if not kept:
            os.kill(children()[-1], signal.SIGKILL)
        kept.append(each)

    tasks = tasks_of(replace(arenas[0], policies=("random",)), episodes=range(500))
    with pytest.raises(BrokenProcessPool):
        perform(Processes(2), tasks, keep=kill_one)
    assert 0 < len(kept) < 1500
