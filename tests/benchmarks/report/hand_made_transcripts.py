"""Transcripts made by hand: a game of Cleanup, a negotiation, and one that means harm."""

from __future__ import annotations

import random

HOSTILE_TEXTS = (
    "<script>window.pwned = 1; alert(1)</script>",
    "</script><script>window.pwned = 2</script>",
    '<img src="x" onerror="window.pwned = 3">',
    '<svg onload="window.pwned = 4"><a href="javascript:window.pwned = 5">press</a></svg>',
    "[press](javascript:window.pwned=6) <iframe srcdoc='<script>parent.pwned=7</script>'></iframe>",
    "abc\u202edef\u2066 right to left",
    "nul \x00 bell \x07 red \x1b[31m text \x9b1m",
    "tags \U000e0041\U000e0042 half \ud800 end",
    "line\u2028separator' \" \\ ${window.pwned = 8} {{7*7}} --> ]]>",
    "שלום, this is right to left at first",
)
HUGE = "W" * 200_000
STEPS = 20
PARTIES = (
    ("Sports Co", "builds the resort", 55),
    ("Environmental League", "guards the coast", 50),
    ("Local Labour Union", "wants work for the town", 30),
    ("Ministry", "may forbid it", 45),
    ("Other Cities", "fear for their trade", 31),
    ("Mayor", "wants to be elected again", 50),
)
ISSUES = (("A", 3), ("B", 3), ("C", 4), ("D", 3), ("E", 5))


def call(text, *, status="ok", tokens=120):
    return {
        "text": text,
        "status": status,
        "form": "choice",
        "prompt_tokens": tokens,
        "completion_tokens": 12,
        "cached_tokens": tokens // 2,
        "latency_s": 0.42,
        "attempts": 1,
        "finish_reason": "stop",
    }


def act(agent, did, **values):
    said = values.get("said", f"I think of the river. Action: {did}")
    return {
        "agent": agent,
        "saw": f"You are {agent}.\nPollution 3 (fruit grows only below 6).\nChoose one.",
        "said": said,
        "thought": f"Nobody knows that {agent} is greedy.",
        "did": did,
        "status": "ok",
        "illegal": False,
        "reward": 2.0,
        "transfer": 0.0,
        "calls": [call(said)],
        **values,
    }


def cleanup_transcript(about):
    agents = ("agent_0", "agent_1")
    wage = "agent_0 pays agent_1 0.6 for each unit of pollution that agent_1 removes."
    frames, frame_of_step, pollution, fruit = [], [], [], []
    for step in range(STEPS):
        if step == 10:
            frames.append(
                cleanup_frame(
                    agents, f"Talks before step {step}: vote", "vote", step, 3, 9, contract=wage
                )
            )
            frames[-1]["events"] = ["The judge found the proposal valid.", "It was voted for."]
        frame_of_step.append(len(frames))
        pollution.append((3 * step) % 14)
        fruit.append(10 + (step * 5) % 17)
        frames.append(
            cleanup_frame(
                agents,
                f"Step {step}",
                "play",
                step,
                pollution[-1],
                fruit[-1],
                contract=wage if step >= 10 else None,
            )
        )
    frames[3]["acts"][1] |= {
        "status": "unknown_action",
        "calls": [call("I dance", status="unknown_action"), call("dance", status="unknown_action")],
    }
    steps = list(range(STEPS))
    return {
        **about,
        "game": "cleanup",
        "agents": [{"name": a, "role": None, "player": "stub-llm"} for a in agents],
        "rules": {a: f"The rules as {a} was told them." for a in agents},
        "outcome": [
            {"label": "Welfare", "value": "131.0 of 157.0"},
            {"label": "Equality", "value": "0.93"},
        ],
        "frames": frames,
        "series": {
            "x": steps,
            "pollution": pollution,
            "fruit": fruit,
            "threshold": [6 if step < 12 else 9 for step in steps],
            "welfare": [step * 6.5 for step in steps],
            "optimum": [step * 7.9 for step in steps],
            "changes": [{"step": 12, "text": "the threshold rises to 9"}],
            "contracts": [
                {"from_step": 0, "to_step": 10, "text": "no contract"},
                {"from_step": 10, "to_step": STEPS, "text": wage},
            ],
            "frame_of_step": frame_of_step,
        },
    }


def cleanup_frame(agents, title, phase, step, pollution, fruit, *, contract):
    return {
        "title": title,
        "step": step,
        "phase": phase,
        "acts": [
            act(agents[0], "harvest", reward=4.0, transfer=-1.8 if contract else 0.0),
            act(agents[1], "clean", reward=0.0, transfer=1.8 if contract else 0.0),
        ],
        "state": {
            "pollution": pollution,
            "fruit": fruit,
            "threshold": 6 if step < 12 else 9,
            "places": {agents[0]: "garden", agents[1]: "shore"},
        },
        "contract": contract,
        "ledger": {agents[0]: -1.8 * step, agents[1]: 1.8 * step} if contract else None,
        "events": ["The threshold rises to 9."] if step == 12 else [],
    }


def negotiation_transcript(about):
    rng = random.Random(about["number"])
    issues = [
        {
            "name": f"{issue}: of the coast",
            "options": [
                {
                    "name": f"{issue}{option + 1}",
                    "text": f"way {option + 1} of building it",
                    "scores": {party: rng.randrange(0, 25) for party, _, _ in PARTIES},
                }
                for option in range(options)
            ],
        }
        for issue, options in ISSUES
    ]
    frames, turns = [], []
    for turn in range(14):
        party = PARTIES[turn % len(PARTIES)][0]
        chosen = [rng.choice(issue["options"]) for issue in issues]
        deal = ",".join(option["name"] for option in chosen)
        scores = {name: sum(o["scores"][name] for o in chosen) for name, _, _ in PARTIES}
        agree = {name: scores[name] >= threshold for name, _, threshold in PARTIES}
        said = f"We could live with {deal}: it keeps the dunes and brings work to the town."
        frames.append(
            {
                "title": f"Turn {turn}",
                "step": turn,
                "phase": "play",
                "acts": [act(party, f"proposes {deal}", said=said, reward=None, transfer=None)],
                "state": {"deal": deal, "scores": scores, "agree": agree},
                "contract": None,
                "ledger": None,
                "events": ["The final proposal passes."] if turn == 13 else [],
            }
        )
        turns.append(
            {
                "frame": turn,
                "party": party,
                "own": scores[party],
                "collective": sum(scores.values()) / len(scores),
                "agreeing": sum(agree.values()),
            }
        )
    return {
        **about,
        "game": "negotiation",
        "agents": [{"name": name, "role": role, "player": "stub-llm"} for name, role, _ in PARTIES],
        "rules": {name: f"The secret sheet of {name}." for name, _, _ in PARTIES},
        "outcome": [{"label": "Deal", "value": "passed"}, {"label": "Regret", "value": "4 points"}],
        "frames": frames,
        "series": {
            "turns": turns,
            "parties": [
                {"name": name, "role": role, "threshold": threshold, "incentive": "cooperative"}
                for name, role, threshold in PARTIES
            ],
            "issues": issues,
            "optimum": {"deal": "A1,B2,C3,D1,E4", "welfare": 71.5},
            "proposer": "Sports Co",
            "veto": "Ministry",
        },
    }


def hostile_transcript(about):
    made = cleanup_transcript(about)
    words = "\n".join(HOSTILE_TEXTS)
    for frame in made["frames"]:
        frame["contract"] = words
        frame["events"] = list(HOSTILE_TEXTS)
        for one in frame["acts"]:
            one |= {"saw": words, "said": words, "thought": words, "did": HOSTILE_TEXTS[2]}
            one["calls"] = [call(words, status="<b>bad</b>")]
    made["frames"][1]["acts"][0]["said"] = HUGE
    made["frames"][2]["acts"][0]["did"] = HUGE
    made["series"]["changes"] = [{"step": 4, "text": HOSTILE_TEXTS[3]}]
    made["series"]["contracts"] = [{"from_step": 0, "to_step": 20, "text": HOSTILE_TEXTS[0]}]
    made["outcome"].append({"label": "Last words", "value": words})
    made["rules"] = {"agent_0": words, "__proto__": words}
    return made
