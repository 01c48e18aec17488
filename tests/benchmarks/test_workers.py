"""Processes that work for this one."""

from __future__ import annotations

import operator
import os
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from queue import Empty

import pytest

from benchmarks.workers import Workers, tell, workers


def test_everything_that_is_told_is_heard_whatever_is_done_first():
    with workers(2) as processes:
        futures = [processes.submit(tell, number) for number in range(20)]
        assert sorted(processes.heard(futures)) == list(range(20))


def test_last_words_that_come_after_the_work_is_done_are_heard():
    class SlowQueue:
        messages = iter((Empty, "late", None))

        def get(self, timeout):
            message = next(self.messages)
            if message is Empty:
                raise Empty
            return message

    done = Future()
    done.set_result(None)
    assert list(Workers(None, SlowQueue()).heard([done])) == ["late"]


def test_what_fails_in_a_process_is_raised_here():
    with workers(1) as processes:
        futures = [processes.submit(operator.truediv, 1, 0)]
        with pytest.raises(ZeroDivisionError):
            list(processes.heard(futures))


def test_a_process_that_dies_is_noticed():
    with workers(1) as processes:
        futures = [processes.submit(os._exit, 3)]
        with pytest.raises(BrokenProcessPool):
            list(processes.heard(futures))
