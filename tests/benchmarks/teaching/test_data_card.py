"""The page beside a data set: what was counted, and what it says of how it was made."""

from __future__ import annotations

import pytest

from agents.llm.chat import Message
from agents.lm.pairs import Pair
from benchmarks.teaching.data_card import Made, RunRead, Tally, render_card
from benchmarks.teaching.questions import Asked


def asked(prompt="abcd", answer="ab", choice="ab", **values):
    told = {
        "arena": "a",
        "policy": "p",
        "condition": "c",
        "episode": 0,
        "seed": 0,
        "agent": "agent_0",
        "player": "planner",
        "step": 0,
        "phase": "play",
        "status": "ok",
        "episode_return": 2.5,
        "return_to_go": 1.0,
        **values,
    }
    messages = (Message("system", "xx"), Message("user", prompt))
    return Asked(pair=Pair(messages, answer), choice=choice, **told)


@pytest.fixture
def card():
    """Write the card of some pairs to teach from and some that are held out."""

    def write(train, held_out=(), **values):
        tally = Tally()
        for side, pairs in enumerate((train, held_out)):
            for each in pairs:
                tally.add("run", each, is_held_out=bool(side))
        made = {
            "name": "data",
            "runs": [RunRead("run", "lessons", "complete", {"commonweal": "1.2"})],
            "command": "commonweal dataset run --out data.jsonl",
            "told": "1 episodes, 5 questions in them",
            "answers": "as said.",
            "wording": "varied",
            "style": "direct",
            "left_out": ["The public record."],
            "split": "by seed.",
            **values,
        }
        return render_card(Made(**made), tally).splitlines()

    return write


def test_pairs_prompts_episodes_and_seeds_are_counted_on_both_sides(card):
    train = [asked(), asked(), asked("other", episode=1, seed=1)]
    told = card(train, [asked(episode=2, seed=2)])
    assert "| pairs | 3 | 1 |" in told
    assert "| distinct prompts | 2 | 1 |" in told
    assert "| episodes | 2 | 1 |" in told
    assert "| seeds | 2 | 1 |" in told
    assert "Held-out prompts that stand in the other file as well, word for word: 1." in told


def test_lengths_are_in_characters_of_all_messages(card):
    told = card([asked("", "a"), asked("abcd", "ab"), asked("abcdefgh", "abcdefg")])
    assert "| prompt | 6 | 10 |" in told
    assert "| answer | 2 | 7 |" in told


def test_players_phases_statuses_and_answers_are_counted(card):
    unread = asked(choice="", status="missing", player="m", phase="propose")
    told = card([asked(), asked()], [unread])
    assert {"| planner | 2 | 0 |", "| m | 0 | 1 |", "| play | 2 | 0 |"} <= set(told)
    assert {"| propose | 0 | 1 |", "| ok | 2 | 0 |", "| missing | 0 | 1 |"} <= set(told)
    assert {"| `ab` | 2 | 0 |", "| (could not be read) | 0 | 1 |"} <= set(told)


def test_of_many_answers_the_commonest_are_shown(card):
    train = [asked(choice=f"answer {n}") for n in range(30) for _ in range(n + 1)]
    told = card(train)
    assert told.index("| `answer 29` | 30 | 0 |") < told.index("| `answer 10` | 11 | 0 |")
    assert not any("`answer 9`" in line for line in told)
    assert "and 10 others, 55 pairs." in told


def test_it_says_from_what_and_how_it_was_made_and_what_is_not_in_it(card):
    told = card([asked()])
    assert "| run | lessons | complete | 1.2 |" in told
    for line in (
        "commonweal dataset run --out data.jsonl",
        "Read: 1 episodes, 5 questions in them.",
        "Answers: as said.",
        "Split: by seed.",
        "- The public record.",
    ):
        assert line in told
    assert any(line.startswith("- Anything that the seat itself was not told") for line in told)
    assert "## Licence" in told


def test_the_version_of_a_run_from_a_source_folder_is_unknown(card):
    told = card([asked()], runs=[RunRead("run", "lessons", "complete", {"numpy": "2.1.0"})])
    assert "| run | lessons | complete | unknown |" in told


def test_words_that_would_break_a_table_do_not(card):
    told = card([asked(choice="a|b\n`c`")])
    assert "| `a\\|b 'c'` | 1 | 0 |" in told
