"""Executors by name."""

from __future__ import annotations

import importlib.util
import socket

import pytest

from benchmarks.executors.local import InProcess, Processes
from benchmarks.executors.named import executor_named
from cleanup_icn import ConfigError


def test_processes_are_two_unless_it_is_said_how_many():
    assert executor_named("processes") == Processes(2)
    assert executor_named("processes", 5) == Processes(5)
    assert isinstance(executor_named("processes", 0), InProcess)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("slurm",), "--executor = 'slurm': expected one of processes, ray"),
        (("processes", -1), "--workers = -1: expected an integer of at least 0"),
        (("ray", 0), "--workers = 0: expected an integer of at least 1"),
        (
            ("processes", 2, "head:6379"),
            "--ray-address = 'head:6379': expected nothing, but with --executor ray",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(arguments, said):
    with pytest.raises(ConfigError) as refused:
        executor_named(*arguments)
    assert str(refused.value) == said


def test_without_ray_it_is_said_how_to_install_it(monkeypatch):
    really = importlib.util.find_spec
    monkeypatch.setattr(
        "benchmarks.executors.named.find_spec",
        lambda name: None if name == "ray" else really(name),
    )
    with pytest.raises(ConfigError, match=r'pip install "commonweal\[ray\]"'):
        executor_named("ray")


def test_the_address_of_a_ray_client_is_refused():
    pytest.importorskip("ray", reason="needs commonweal[ray]")
    with pytest.raises(ConfigError, match="--ray-address = 'ray://head:10001': expected HOST:PORT"):
        executor_named("ray", None, "ray://head:10001")


def test_where_nobody_listens_it_is_said_at_once():
    pytest.importorskip("ray", reason="needs commonweal[ray]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"  # bound, but nobody listens
        with pytest.raises(ConfigError, match="a Ray cluster that this machine has joined"):
            executor_named("ray", 1, address).__enter__()
