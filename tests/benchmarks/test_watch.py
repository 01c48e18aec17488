"""`commonweal watch`: how a run stands, seen from outside, whatever becomes of it."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from benchmarks import watch as watching
from benchmarks import watch_command
from benchmarks.database import FILE
from benchmarks.episode_row import EpisodeRow, KeptEpisode
from benchmarks.store import PlannedCell, RunFolder
from benchmarks.watch import Watch
from benchmarks.watch_table import headline, how_to_go_on, render

# After the runs of the tests began: what ended before is of an earlier part of a run.
BEGUN = datetime(2126, 1, 1, 12, tzinfo=UTC)
CELLS = (
    PlannedCell("river", "planner", "none", 3),
    PlannedCell("river", "planner", "icn", 3),
    PlannedCell("talks", "stubborn", "base", 2),
)
SUITE = {
    "name": "both",
    "arenas": [{"name": "river", "measures": []}, {"name": "talks", "measures": ["own_score"]}],
}
MEASURES = {
    "river": {"welfare": 90.0, "efficiency": 0.5, "efficiency_after_change": None},
    "talks": {"final_success": 1.0, "own_score": 60.0},
}


def at(seconds):
    return BEGUN + timedelta(seconds=seconds)


def kept(cell, episode, *, ended=10.0, measures=None, **values):
    """An episode that ended so many seconds after the beginning."""
    row = {
        "arena": cell.arena,
        "policy": cell.policy,
        "contract": cell.contract,
        "episode": episode,
        "seed": 0,
        "started_at": BEGUN.isoformat(),
        "ended_at": at(ended).isoformat(timespec="milliseconds"),
        "wall_s": 1.0,
        "measures": MEASURES[cell.arena] if measures is None else measures,
        "malformed": 0,
        "calls": 0,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "latency_s": 0.0,
        **values,
    }
    return KeptEpisode(row=EpisodeRow(**row), record={})


@pytest.fixture
def begin(tmp_path):
    """Begin the run, or take it up again; returns its folder, which is closed in the end."""
    with ExitStack() as opened:

        def open_folder(suite=SUITE, **options):
            return opened.enter_context(RunFolder(tmp_path / "run", suite, CELLS, **options))

        yield open_folder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run"


def play_all(folder):
    for cell in CELLS:
        for episode in range(cell.num_episodes):
            folder.keep_episode(kept(cell, episode))


def look(path, *, now=60.0):
    return Watch(path, clock=lambda: at(now)).look()


def test_progress_is_told_cell_by_cell(begin, path):
    folder = begin()
    folder.keep_episode(kept(CELLS[1], 0))
    folder.keep_episode(kept(CELLS[1], 2))
    seen = look(path)
    assert [(cell.planned, cell.done) for cell in seen.cells] == list(
        zip(CELLS, (0, 2, 0), strict=True)
    )
    assert (seen.done, seen.total, seen.status, seen.suite) == (2, 8, "running", "both")


def test_means_come_with_n_and_an_interval(begin, path):
    folder = begin()
    for episode, efficiency in enumerate((0.25, 0.5, 0.75)):
        folder.keep_episode(kept(CELLS[0], episode, measures={"efficiency": efficiency}))
    estimate = look(path).cells[0].means["efficiency"]
    assert (estimate.mean, estimate.n, estimate.unit) == (0.5, 3, "episode")
    assert (estimate.low, estimate.high) == pytest.approx((-0.121, 1.121), abs=1e-3)  # t = 4.303


def test_a_rate_keeps_a_width_even_where_all_ended_alike(begin, path):
    suite = {"name": "s", "arenas": [{"name": "talks", "measures": ["final_success"]}]}
    folder = begin(suite)
    for episode in range(2):
        folder.keep_episode(kept(CELLS[2], episode))
    estimate = look(path).cells[2].means["final_success"]
    assert estimate.mean == 1.0
    assert estimate.low == pytest.approx(0.342, abs=1e-3)  # Wilson's interval of 2 of 2


def test_an_arena_shows_the_measures_that_its_table_compares_or_else_the_main_ones(begin, path):
    folder = begin()
    play_all(folder)
    seen = look(path)
    assert seen.measures == {
        "river": ("efficiency", "efficiency_after_change"),
        "talks": ("own_score",),
    }
    assert set(seen.cells[0].means) == {"efficiency"}  # the other one says nothing of any episode


def test_what_models_did_is_summed_up(begin, path):
    folder = begin()
    cost = {"calls": 5, "prompt_tokens": 100, "completion_tokens": 10}
    folder.keep_episode(kept(CELLS[0], 0, malformed=2, **cost))
    folder.keep_episode(kept(CELLS[0], 1, **cost))
    seen = look(path)
    assert (seen.calls, seen.prompt_tokens, seen.completion_tokens) == (10, 200, 20)
    assert (seen.malformed, seen.malformed_episodes) == (2, 1)
    assert [cell.malformed for cell in seen.cells] == [2, 0, 0]


def test_the_last_episodes_are_those_that_ended_last(begin, path):
    folder = begin()
    for ended, (cell, episode) in enumerate(
        ((CELLS[2], 1), (CELLS[0], 0), (CELLS[1], 0), (CELLS[0], 2), (CELLS[2], 0), (CELLS[1], 1))
    ):
        folder.keep_episode(kept(cell, episode, ended=ended))
    last = [(row.policy, row.contract, row.episode) for row in look(path).last]
    assert len(last) == 5
    assert last[:2] == [("planner", "icn", 1), ("stubborn", "base", 0)]


def test_the_rate_is_that_of_late_and_falls_while_nothing_comes(begin, path):
    folder = begin()
    for episode, ended in enumerate((10, 20, 30)):
        folder.keep_episode(kept(CELLS[0], episode, ended=ended))
    seen = look(path, now=30)
    assert (seen.rate_per_s, seen.left_s, seen.idle_s) == (0.1, 50.0, 0.0)
    later = look(path, now=50)
    assert (later.rate_per_s, later.left_s, later.idle_s) == (0.05, 100.0, 20.0)


def test_an_earlier_part_of_a_run_says_nothing_of_its_rate_now(begin, path):
    folder = begin()
    for episode, ended in enumerate((1, 2, 3_600)):
        folder.keep_episode(kept(CELLS[0], episode, ended=ended))
    with closing(sqlite3.connect(path / FILE)) as connection, connection:
        begun = json.dumps(at(3_500).isoformat())
        connection.execute("INSERT OR REPLACE INTO about VALUES ('started_at', ?)", (begun,))
    assert look(path, now=3_600).rate_per_s is None
    folder.keep_episode(kept(CELLS[1], 0, ended=3_610))
    assert look(path, now=3_610).rate_per_s == 0.1


def test_the_means_follow_the_episodes(begin, path):
    folder, watched = begin(), Watch(path)
    for episode, efficiency in enumerate((0.0, 1.0)):
        folder.keep_episode(kept(CELLS[0], episode, measures={"efficiency": efficiency}))
        mean = watched.look().cells[0].means["efficiency"]
        assert (mean.mean, mean.n) == (efficiency / 2, episode + 1)


def test_a_single_episode_is_no_rate_yet(begin, path):
    folder = begin()
    folder.keep_episode(kept(CELLS[0], 0))
    seen = look(path)
    assert (seen.rate_per_s, seen.left_s) == (None, None)


def test_a_run_that_is_complete_has_no_rate_and_is_over(begin, path):
    with begin() as folder:
        play_all(folder)
        folder.write_run({"seconds": 3.0})
    seen = look(path)
    assert (seen.status, seen.rate_per_s, seen.left_s) == ("complete", None, None)
    assert seen.is_over
    assert not seen.is_broken_off
    assert how_to_go_on(seen) == ""


def test_a_run_that_nobody_writes_any_more_was_killed(begin, path):
    folder = begin()
    folder.keep_episode(kept(CELLS[0], 0))
    watched = Watch(path)
    assert watched.look().status == "running"
    folder.close()  # as at the end of its process, without a word about how it went
    seen = watched.look()
    assert seen.status == "killed"
    told = how_to_go_on(seen)
    assert "--resume" in told
    assert "plays the other 7" in told
    assert str(path) in told


def test_the_way_to_resume_a_run_can_be_pasted_into_a_shell(tmp_path):
    for name, suite in (("cleanup-smoke", "cleanup-smoke"), ("my-own", "FILE.toml")):
        path = tmp_path / f"runs of {name}"
        RunFolder(path, {**SUITE, "name": name}, CELLS).close()
        told = how_to_go_on(look(path))
        assert f"commonweal compare {suite} --out '{path}' --resume" in told


def test_a_first_look_at_a_killed_run_knows_it(begin, path):
    with begin() as folder:
        folder.keep_episode(kept(CELLS[0], 0))
    assert look(path).status == "killed"


def test_a_run_that_was_killed_after_its_last_episode_has_only_to_be_summed_up(begin, path):
    with begin() as folder:
        play_all(folder)
        assert headline(look(path)) == "both: running, 8 of 8 episodes, being summed up"
    assert "with --resume, sums them up" in how_to_go_on(look(path))


def test_a_run_that_is_resumed_while_one_looks_was_not_killed(begin, path, monkeypatch):
    with begin() as folder:
        folder.keep_episode(kept(CELLS[0], 0))
    answers = [False, True]
    monkeypatch.setattr(watching, "is_being_written", lambda _: answers.pop(0))
    assert look(path).status == "running"


def test_a_run_that_ends_while_one_looks_was_not_killed(begin, path, monkeypatch):
    folder = begin()

    def end(_):
        folder.write_run({})
        folder.close()
        return False

    monkeypatch.setattr(watching, "is_being_written", end)
    assert look(path).status == "complete"


def test_the_writers_lock_is_left_alone_while_episodes_come_in(begin, path, monkeypatch):
    folder, watched, asked = begin(), Watch(path), []
    monkeypatch.setattr(watching, "is_being_written", lambda _: asked.append(1) or True)
    watched.look()
    for episode in range(3):
        folder.keep_episode(kept(CELLS[0], episode))
        watched.look()
    assert len(asked) == 1
    watched.look()
    assert len(asked) == 2


def test_a_run_that_was_stopped_says_why_and_what_failed(begin, path):
    with begin() as folder:
        folder.keep_episode(kept(CELLS[0], 0))
        told = {"stopped": "the budget is spent", "failures": ["planner, icn, 1: \x1b[2Jgone"]}
        folder.write_run(told, is_complete=False)
    seen = look(path)
    assert seen.is_broken_off
    assert "stopped (the budget is spent)" in how_to_go_on(seen)
    assert r"no answer: planner, icn, 1: \x1b[2Jgone" in drawn(seen)


def test_watching_leaves_the_run_as_it_is(begin, path):
    folder, watched = begin(), Watch(path)
    for cell in CELLS:
        for episode in range(cell.num_episodes):
            folder.keep_episode(kept(cell, episode))
            watched.look()
    folder.write_run({})
    watched.look()
    folder.close()
    assert watched.look().status == "complete"
    assert "run.db" in {file.name for file in path.iterdir()}
    assert not list(path.glob("run.db-*"))  # which stay where somebody still reads


def test_a_run_that_was_begun_anew_is_seen_from_its_beginning(begin, path):
    watched = Watch(path)
    with begin() as folder:
        play_all(folder)
        assert watched.look().done == 8
    begin().keep_episode(kept(CELLS[0], 0))
    assert watched.look().done == 1


def drawn(seen, *, width=120, height=None):
    console = Console(file=io.StringIO(), width=width)
    console.print(render(seen, width=width, height=height))
    return console.file.getvalue()


def test_the_picture_has_every_cell_with_its_n_and_interval(begin, path):
    folder = begin()
    for episode, efficiency in enumerate((0.4, 0.6)):
        folder.keep_episode(kept(CELLS[0], episode, measures={"efficiency": efficiency}))
    lines = drawn(look(path)).splitlines()
    (line,) = [line for line in lines if "planner" in line and " none " in line and "/" in line]
    assert "2/3" in line
    assert "0.50 [-0.77, 1.77]" in line
    assert [line for line in lines if "planner" in line and "icn" in line and "0/3" in line]
    assert [line for line in lines if "talks" in line and "stubborn" in line and "0/2" in line]


def test_where_room_is_short_the_cells_that_move_are_shown(begin, path):
    cells = [PlannedCell("river", f"p{i:02}", "none", 2) for i in range(30)]
    with RunFolder(path, SUITE, cells) as folder:
        for episode in range(2):
            folder.keep_episode(kept(cells[3], episode, ended=1))
        folder.keep_episode(kept(cells[20], 0, ended=2))
        seen = look(path)
    whole, short = drawn(seen), drawn(seen, height=30)
    assert all(cell.policy in whole for cell in cells)
    assert ("1/2" in short, "2/2" in short) == (True, True)
    assert len(short.splitlines()) <= 30
    assert "more cells not shown" in short


def test_a_narrow_terminal_shows_fewer_measures_and_no_broken_lines(begin, path):
    folder = begin()
    play_all(folder)
    seen = look(path)
    assert "change" in drawn(seen, width=140)
    assert "change" not in drawn(seen, width=80)


def test_names_are_not_taken_for_markup(path):
    cell = PlannedCell("river", "[red]x[/red]", "[b]", 1)
    with RunFolder(path, SUITE, [cell]) as folder:
        folder.keep_episode(kept(cell, 0))
        assert drawn(look(path)).count("[red]x[/red]") == 2


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(6, "8 s"), (90, "2 min"), (6_000, "2 h 13 min")],
)
def test_the_time_left_is_told_in_words(begin, path, seconds, told):
    folder = begin()
    for number, cell in enumerate((CELLS[0], CELLS[1], CELLS[2])):
        folder.keep_episode(kept(cell, 0, ended=number * seconds / 3))
    folder.keep_episode(kept(CELLS[0], 1, ended=seconds))  # four of eight
    assert f", about {told} left" in headline(look(path, now=seconds))


@pytest.mark.parametrize(
    ("apart_s", "told"), [(0.5, "2.0 a second"), (30, "2.0 a minute"), (1_800, "2.0 an hour")]
)
def test_the_rate_is_told_in_the_unit_that_suits_it(begin, path, apart_s, told):
    folder = begin()
    for episode in range(2):
        folder.keep_episode(kept(CELLS[0], episode, ended=episode * apart_s))
    assert f", {told}, " in headline(look(path, now=apart_s))


def test_a_run_that_stands_still_says_for_how_long(begin, path):
    folder = begin()
    folder.keep_episode(kept(CELLS[0], 0, ended=0))
    assert "last episode 5 min ago" in headline(look(path, now=300))
    assert "ago" not in headline(look(path, now=30))


@pytest.fixture
def watch(command, path):
    """Watch the run; returns the exit code, what was written and what was said."""

    def run(*arguments):
        return command("watch", path, *arguments)

    return run


@pytest.fixture
def while_waiting(monkeypatch):
    """Have something done each time the command would wait; nothing left to do is Ctrl-C."""

    def do(*deeds):
        left = list(deeds)

        def sleep(_seconds):
            if not left:
                raise KeyboardInterrupt
            left.pop(0)()

        monkeypatch.setattr(watch_command.time, "sleep", sleep)

    return do


def test_once_tells_how_it_stands_and_ends(begin, watch):
    folder = begin()
    folder.keep_episode(kept(CELLS[0], 0))
    code, out, err = watch("--once")
    assert (code, err) == (0, "")
    assert out.startswith("both: running, 1 of 8 episodes")


def test_a_run_is_followed_to_its_end(begin, watch, while_waiting):
    folder = begin()

    def end():
        play_all(folder)
        folder.write_run({})

    while_waiting(lambda: folder.keep_episode(kept(CELLS[0], 0)), lambda: None, end)
    code, out, _ = watch()
    told = [line for line in out.splitlines() if line.startswith("both: ")]
    assert code == 0
    assert [line.split(", ")[1] for line in told] == [
        "0 of 8 episodes",
        "1 of 8 episodes",
        "8 of 8 episodes",
        "8 of 8 episodes",  # the whole picture
    ]


def test_a_run_that_is_killed_ends_the_watch_with_the_way_to_resume_it(begin, watch, while_waiting):
    folder = begin()
    while_waiting(lambda: folder.keep_episode(kept(CELLS[0], 0)), folder.close)
    code, out, _ = watch()
    assert code == 1
    assert "with --resume, plays the other 7" in " ".join(out.split())


def test_ctrl_c_ends_the_watch_and_not_the_run(begin, watch, while_waiting):
    folder = begin()
    while_waiting()
    code, _, err = watch()
    assert (code, err) == (0, "")
    folder.keep_episode(kept(CELLS[0], 0))


def test_in_a_terminal_one_picture_is_redrawn(begin, watch, while_waiting, monkeypatch):
    screen = Console(file=io.StringIO(), force_terminal=True, width=100, height=30)
    monkeypatch.setattr(watch_command, "console", lambda: screen)
    folder = begin()
    while_waiting(lambda: folder.keep_episode(kept(CELLS[0], 0)))
    code, out, _ = watch()
    shown = screen.file.getvalue()
    assert (code, out) == (0, "")
    assert "0 of 8 episodes" in shown
    assert "1 of 8 episodes" in shown
    assert "\x1b[" in shown


def test_a_folder_without_a_run_is_refused_in_one_line(watch):
    code, out, err = watch()
    (line,) = err.splitlines()
    assert (code, out) == (2, "")
    assert "a folder of a run" in line
