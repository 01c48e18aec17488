"""`commonweal evaluate-lm`: a folder in, numbers out."""

from __future__ import annotations

import json

import pytest

from agents.llm import Message
from agents.lm.pairs import Pair
from agents.lm.settings import StudentSettings, TeachingSettings

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def waiter(tmp_path_factory):
    """The folder of a tiny model that was taught to wait, whatever it is told."""
    from agents.lm.teach import teach

    told = [
        f"You are agent_{k % 2}. Pollution {k} of at most 30. Step {k} of 50." for k in range(9)
    ]
    pairs = [Pair((Message("user", each),), "Action: wait") for each in told]
    folder = tmp_path_factory.mktemp("model") / "waiter"
    teach(
        pairs,
        student=StudentSettings(layers=1, width=32, heads=1, vocab_size=300),
        teaching=TeachingSettings(
            steps=60, batch_size=8, warmup_steps=5, learning_rate=0.01, precision="float32"
        ),
        out=folder,
        about={"lessons": "cleanup", "record_lines": 0},
    )
    return folder


def test_a_model_is_examined_without_a_server(waiter, command):
    code, out, _ = command("evaluate-lm", waiter, "--episodes", 1, "--json")
    told = json.loads(out)
    assert code == 0
    assert {"efficiency", "low", "high", "valid", "answers", "n", "seconds"} <= set(told)
    assert (told["kind"], told["lessons"], told["n"]) == ("taught", "cleanup", 1)
    assert (told["valid"], told["efficiency"]) == (1.0, 0.0)
    assert told["style"] == "direct"  # as it was taught
    assert told["answers"] in (100, 150)
    assert set(told["policies"]["planner"]) == {"efficiency", "low", "high", "n"}
    assert told["policies"]["planner"]["efficiency"] == pytest.approx(1.0)


def test_the_table_names_everybody_and_a_run_is_kept(waiter, command, tmp_path):
    run = tmp_path / "run"
    code, out, err = command(
        "evaluate-lm", waiter, "--held-out", "--episodes", 1, "--seed", 3, "--out", run
    )
    assert code == 0
    assert "cleanup, held-out: 1 settings" in out
    assert all(name in out for name in ("taught", "planner", "division-of-labour", "all-harvest"))
    assert "100.00% of them valid" in out
    assert str(run) in err
    code, _, err = command("replay", run)
    assert code == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--held-out", "--kind", "partners"), "--held-out"),
        (("--kind", "hard"), "kind = 'hard': expected one of taught, held-out"),
        (("--wording", "latin"), "wording = 'latin': expected one of own"),
        (("--style", "deep"), "style = 'deep': expected one of direct, chain-of-thought"),
        (("--structured", "yes"), "structured = 'yes': expected one of auto, off"),
        (("--lessons", "latin"), "lessons = 'latin': expected one of"),
        (("--episodes", "0"), "--episodes"),
        (
            ("--lessons", "negotiation", "--wording", "synonyms"),
            "wording = 'synonyms': expected own",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(waiter, command, options, told):
    code, out, err = command("evaluate-lm", waiter, *options)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_a_folder_without_a_model_is_refused_in_one_line(command, tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        code, out, err = command("evaluate-lm", folder)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "DIR" in err
