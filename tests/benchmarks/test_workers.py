"""Processes that work for this one."""

from __future__ import annotations

import operator
import os
import signal
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children
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


def test_ctrl_c_does_not_end_a_process_that_is_still_starting():
    with workers(1) as processes:
        futures = [processes.submit(tell, "here")]
        for child in active_children():
            os.kill(child.pid, signal.SIGINT)
        assert list(processes.heard(futures)) == ["here"]


def test_ctrl_c_reaches_the_process_that_has_others_work_for_it():
    with workers(1) as processes:
        futures = [processes.submit(tell, "here")]
        list(processes.heard(futures))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


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
