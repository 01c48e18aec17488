"""Runs of one arena or several, played in a folder, and what is in it afterwards."""

from __future__ import annotations

from benchmarks.arena import Arena
from benchmarks.compare import compare, open_folder
from benchmarks.database import StoreError
from benchmarks.executors.local import local_executor
from benchmarks.store import open_run
from benchmarks.suite import Suite
from cleanup_icn import ConfigError


def suite_of(played):
    """Return the suite of an arena; a suite as it is."""
    return Suite.of(played) if isinstance(played, Arena) else played


def play_run(played, out, *, resume=False, num_workers=0, **options):
    """Play a suite or an arena in a folder; returns what came of it."""
    suite = suite_of(played)
    with open_folder(out, suite, resume=resume) as folder:
        return compare(suite, folder=folder, executor=local_executor(num_workers), **options)


def begin_run(played, out, kept=()):
    """Begin a run in a folder and keep these episodes, as if it had been killed then."""
    with open_folder(out, suite_of(played)) as folder:
        for each in kept:
            folder.keep_episode(each)


def kept_in(out):
    """Return the episodes of a run in the order of its tables."""
    with open_run(out) as reader:
        return list(reader.episodes())


def num_kept(out):
    """Return how many episodes a run has kept so far; 0 before it has begun."""
    try:
        with open_run(out) as reader:
            return len(reader)
    except (ConfigError, StoreError):  # not there yet, or not all of it
        return 0


def records_in(out):
    """Return the records of a run in the order of its tables."""
    return [kept.record for kept in kept_in(out)]


def records_by_key(out):
    """Return the records of a run by policy, condition and number."""
    return {(r["policy"], r["contract"], r["episode"]): r for r in records_in(out)}


def about_run(out):
    """Return what a run tells of itself."""
    with open_run(out) as reader:
        return reader.about


def outcome_of(out, *names):
    """Return the records of a run, and the contents of some of its files."""
    return [records_in(out), *((out / name).read_bytes() for name in names)]
