"""The words of other wordings: phrases of the game's text, and what stands in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

Phrases: TypeAlias = tuple[tuple[re.Pattern[str], str], ...]
"""Patterns, and what their matches within a line become."""


def _phrases(pairs: Iterable[tuple[str, str]]) -> Phrases:
    return tuple((re.compile(pattern), words) for pattern, words in pairs)


SYNONYMS = _phrases(
    (
        (r"\b([Pp])ollution (\S+) of at most (\d+)", r"\1ollution \2, never above \3"),
        (r"\bFruit (\S+) of at most (\d+)", r"Fruit \1, never above \2"),
        (r"\bpollution\b", "dirt"),
        (r"\bPollution\b", "Dirt"),
        (r"\ba fruit garden\b", "an orchard"),
        (r"\bfruit garden\b", "orchard"),
        (r"\bfruit\b", "crop"),
        (r"\bFruit\b", "Crop"),
        (r"\briver shore\b", "bank of the stream"),
        (r"\briver\b", "stream"),
        (r"\bContract\b", "Agreement"),
        (r"\b(grows only) below (\d+)", r"\1 under \2"),
        (r"\bremoves up to (\d+)", r"takes away no more than \1"),
        (r"\btakes up to (\d+)", r"brings in no more than \1"),
    )
)
"""A few words are others."""

_ROLE = r"(the others|every agent|agent_\d+)"

CONTRACT = _phrases(
    (
        (_ROLE + r" pays? the others\b", r"the others are paid by \1"),
        (_ROLE + r" pays? (every agent|agent_\d+)\b", r"\2 is paid by \1"),
        (r": no payments\.", ": nobody is paid."),
        (r"\bUntil (the end|step \d+|the world changes): ", r"Up to \1: "),
        (r"\buntil (the end|step \d+|the world changes): ", r"up to \1: "),
        (r"\b([Uu])p to the world changes: ", r"\1p to a change of the world: "),
    )
)
"""Contracts say who is paid, not who pays."""

_CHANCE = r"( with probability [0-9.e-]+)?"
_WHO = r"([^.]+)"

PARAPHRASES = _phrases(
    (
        # What an agent sees.
        (
            rf"^You are (agent_\d+), in the fruit garden\. In the fruit garden: {_WHO}\. "
            rf"At the river shore: {_WHO}\. Step (\d+) of (\d+)\.$",
            r"Of \5 steps it is number \4. Among the trees: \2. By the water: \3. "
            r"Your name is \1 and you stand among the trees.",
        ),
        (
            rf"^You are (agent_\d+), at the river shore\. In the fruit garden: {_WHO}\. "
            rf"At the river shore: {_WHO}\. Step (\d+) of (\d+)\.$",
            r"Of \5 steps it is number \4. Among the trees: \2. By the water: \3. "
            r"Your name is \1 and you stand by the water.",
        ),
        (
            r"^Pollution (\d+) of at most (\d+) \(fruit grows only below (\d+); \+(\d+) each step"
            rf"{_CHANCE}; one cleaning removes up to (\d+)\)\.$",
            r"The water holds \1 units of dirt out of \2. Nothing ripens unless there are fewer "
            r"than \3. Every step makes it \4 more\5, and cleaning once makes it as much as \6 "
            r"less.",
        ),
        (
            r"^Fruit (\d+) of at most (\d+) \(\+(\d+)( \* \(\d+ - pollution\) // \d+)? "
            rf"when it grows{_CHANCE}; one harvest takes up to (\d+)\)\.$",
            r"The trees bear \1 fruits out of \2. When they ripen there are \3\4 more\5, and who "
            r"harvests carries away as many as \6.",
        ),
        (r"\bwith probability ([0-9.e-]+)", r"(chance \1)"),
        (r"^Contract in force: none\.$", "Nobody has agreed to anything."),
        (r"^Contract in force: (.+)$", r"This has been agreed: \1"),
        (r"^Changed just now: nothing\.$", "The world works as it did."),
        (r"^Changed just now: (.+)\.$", r"The world works otherwise since now: \1."),
        (r"^Announced from step (\d+): (.+)\.$", r"All know what is to come at step \1: \2."),
        (r"^The episode is over\.$", "This was the end."),
        # What it is asked.
        (
            r"^Answer at once, with the line asked for.*$",
            "Say the wanted line, without a word more.",
        ),
        (
            r'^Choose one: (.+)\. End with a line "Action: <choice>"\.$',
            r'What you can do: \1. Your last line reads "Action: <choice>".',
        ),
        # Talks.
        (r"^Phase: play\.$", "Now everybody acts."),
        (
            r"^Phase: waiting after talks, (\d+) steps to go\.$",
            r"The talks must be waited for, \1 steps more.",
        ),
        (
            r"^Phase: talks, round (\d+) of (\d+)\. (agent_\d+) is to propose\.$",
            r"The agents bargain; of \2 rounds it is number \1. It is for \3 to make an offer.",
        ),
        (
            r"^Phase: talks, round (\d+) of (\d+)\. (agent_\d+) proposes: ",
            r"The agents bargain; of \2 rounds it is number \1. This is what \3 offers: ",
        ),
        (r"^Menu (\d+): ", r"Offer \1 is this: "),
        (
            r"^Talks before step (\d+) \(pollution (\S+), fruit (\S+), fruit grows below (\S+)\): "
            r"agreed on: ",
            r"Bargaining ahead of step \1 (dirt \2, fruits \3, ripe under \4) ended with: ",
        ),
        (
            r"^Talks before step (\d+) \(pollution (\S+), fruit (\S+), fruit grows below (\S+)\): "
            r"no agreement, then in force: ",
            r"Bargaining ahead of step \1 (dirt \2, fruits \3, ripe under \4) failed and left: ",
        ),
        # The record.
        (
            r"^Step (\d+): (.+?)\. Then pollution (\d+), fruit (\d+)\.",
            r"This was done in step \1: \2. It left \3 units of dirt and \4 fruits.",
        ),
        (r" Changed: (.+)\.$", r" Since then the world works otherwise: \1."),
        (
            r"^Talks before step (\d+), round (\d+) of (\d+): ",
            r"Bargaining ahead of step \1, number \2 of \3 rounds: ",
        ),
        # The rules.
        (
            r"^(\d+) agents share a river and a fruit garden for (\d+) steps\. In each step all "
            r"act at once, without seeing the others' choices of that step\.$",
            r"This is a game of \2 steps for \1 agents, who have a stream and fruit trees in "
            r"common. They move together, and none knows what the rest is about to do.",
        ),
        (
            r"^wait: do nothing\. move: go to the other place\. harvest: take fruit, possible in "
            r"the fruit garden only\. clean: remove pollution, possible at the river shore only\. ",
            r"These are the actions. With wait one stays idle, with move one changes places. With "
            r"harvest one picks fruits, which needs the trees; with clean one takes dirt out of "
            r"the water, which needs the water's edge. ",
        ),
        (
            r"An action at the wrong place does nothing\. Fruit too scarce for all harvesters is "
            r"shared equally among them\.$",
            r"Elsewhere they are in vain. If there are too few fruits, those who pick get the same "
            r"each.",
        ),
        (
            r"^After the actions pollution grows, and then fruit grows if pollution is low "
            r"enough\.$",
            r"Then dirt flows in, and in water that is clean enough the trees bear more.",
        ),
        (
            r"^Your reward is the fruit you harvest; cleaning earns nothing by itself\. A contract "
            r"in force moves reward between agents as it says\. The numbers of the world are given "
            r"in each observation and may change\.$",
            r"You earn what you pick and nothing for the cleaning as such. What agents have agreed "
            r"on is paid from one to another. You are told at every step how the world works, "
            r"since that can become different.",
        ),
        (
            r"^At times contracts are negotiated while the world stands still\. One agent proposes "
            r"a contract; all others answer at once: accept, reject, or counter with another "
            r"contract\. If all accept it is in force\. Else the first counter is the next "
            r"proposal, or the next agent proposes\. ",
            r"Now and then the world halts and the agents bargain. Somebody offers a contract, and "
            r"the rest say accept, reject or counter, with a contract of their own, all together. "
            r"It takes all of them to agree. Otherwise the earliest counter is put to everybody, "
            r"or else another agent makes an offer. ",
        ),
        (
            r"If none of (\d+) proposals is accepted, (.+)\. Talks cost (\d+) steps of waiting\.$",
            r"After \1 offers without agreement, \2. Bargaining takes \3 steps in which all wait.",
        ),
    )
)
"""Every sentence of what agents see, of the record and of the rules."""

DISTRACTIONS = (
    "The sky is grey and a light wind blows from the hills.",
    "A heron stands on one leg and looks at nothing in particular.",
    "It rained during the night, but the paths are dry again.",
    "Somebody whistles an old tune behind the trees.",
    "A cart rolls past on the far side of the valley.",
    "The bells of the village are heard from afar.",
    "Two dogs bark at each other and fall silent.",
    "The evening will be mild, people say.",
)
"""Sentences that say nothing of the game and hold no number."""

TEACHING_PHRASES: tuple[Phrases, ...] = tuple(
    map(
        _phrases,
        (
            ((r"\b(Pollution|Fruit) (\d+) of at most (\d+)", r"\1 \2, limit \3"),),
            (
                # Where contracts and JSON name the quantity it is no word to choose.
                (r"(?<![\w\"])pollution(?![\w\"]| [<>=])", "waste"),
                (r"\bPollution\b", "Waste"),
            ),
            ((r"\bfruit garden\b", "plantation"),),
            ((r"\briver shore\b", "riverside"),),
            ((r"\bfruit grows only below (\d+)", r"fruit thrives beneath \1"),),
            (
                (r"\bcleaning removes up to (\d+)", r"cleaning washes off at most \1"),
                (r"\bharvest takes up to (\d+)", r"harvest gathers at most \1"),
            ),
            ((r"\bContract in force\b", "Treaty in force"),),
            ((r"^Answer at once, with the line", "Reply directly, with the line"),),
        ),
    )
)
"""Phrases of which a text for teaching has any; no word of theirs stands for another elsewhere."""

TEACHING_DISTRACTIONS = (
    "On day 3 it rained for 12 minutes.",
    "The miller has 7 hens and a lame goat.",
    "Nobody remembers who painted the gate blue.",
    "A boat is being mended.",
    "In the year 1904 the frost came early, and 26 windows were broken by hail.",
    "Clouds gather.",
    "It is 5 miles to the next town, and the road is full of holes.",
    "The baker's daughter has learned to play the flute, though not very well.",
    "Mushrooms were sold at 2 coins a basket, later at 4.",
    "Snow is rare here.",
    "A letter of 9 pages came for the schoolmaster, who was away.",
    "Frogs can be heard in the reeds until late.",
    "The clock on the tower is 10 minutes slow.",
    "Some say that the old mill is haunted, some that the miller drinks.",
    "A child counts pebbles: 1, 2, 3, and begins anew.",
    "There was cheese for supper.",
    "Of 30 geese that flew over, 18 went south and the rest settled in the marsh.",
    "The ferryman sleeps.",
)
"""Sentences for teaching that say nothing of the game; none is a distraction of the table's."""
