"""A slow Cleanup, written from the specification alone, to hold the production rules against.

Nothing here is shared with `cleanup_icn`: not a constant, not a function. Where the two agree on
random games, the specification was read the same way twice.

    fruit garden  [everyone starts here]  wait, move, harvest
    river shore                           wait, move, clean

Randomness is left out on purpose: growth probabilities must be 0 or 1 at every step (a schedule
may switch them), so that a game is a function of its actions.
"""

from __future__ import annotations

from fractions import Fraction

WAIT, MOVE, HARVEST, CLEAN = 0, 1, 2, 3
GARDEN, SHORE = "garden", "shore"

DEFAULTS = {
    "num_agents": 2,
    "horizon_steps": 50,
    "pollution_initial": 0,
    "pollution_max": 30,
    "pollution_threshold": 6,
    "pollution_growth_per_step": 3,
    "fruit_initial": 10,
    "fruit_max": 20,
    "fruit_growth_per_step": 3,
    "harvest_per_action": 4,
    "clean_per_action": 3,
    "prob_pollution_growth": 1.0,
    "prob_fruit_growth": 1.0,
    "fruit_regrowth": "step",
    "schedule": (),
}

PRESETS = {
    "default": {},
    "linear": {
        "fruit_regrowth": "linear",
        "harvest_per_action": 12,
        "fruit_growth_per_step": 12,
        "fruit_max": 24,
    },
    "costly-cleaning": {
        "fruit_regrowth": "step",
        "pollution_growth_per_step": 1,
        "fruit_growth_per_step": 8,
    },
}

PUBLIC_NUMBERS = (
    "pollution_threshold",
    "pollution_growth_per_step",
    "fruit_growth_per_step",
    "harvest_per_action",
    "clean_per_action",
)


class SlowCleanup:
    """One game: `reset()`, then `step({agent: action})` until `is_over()`."""

    def __init__(self, *, preset="default", **config):
        self.config = {**DEFAULTS, **PRESETS[preset], **config}
        self.agents = [f"agent_{i}" for i in range(self.config["num_agents"])]
        self.reset()

    def reset(self, *, pollution_initial=None, fruit_initial=None):
        """Everyone to the garden, the stocks to their initial values, the clock to zero."""
        self.steps_made = 0
        self.place = dict.fromkeys(self.agents, GARDEN)
        self.pollution = self.config["pollution_initial"]
        self.fruit = self.config["fruit_initial"]
        if pollution_initial is not None:
            self.pollution = pollution_initial
        if fruit_initial is not None:
            self.fruit = fruit_initial
        self.apply_schedule()
        return self._infos({}, {}, {})

    def is_over(self):
        return self.steps_made >= self.config["horizon_steps"]

    def mask(self, agent):
        """Which of wait, move, harvest, clean make sense where the agent stands."""
        return [1, 1, 1, 0] if self.place[agent] == GARDEN else [1, 1, 0, 1]

    def step(self, actions):
        """The agents' rewards and infos for one joint action."""
        harvested, cleaned, illegal = self.advance(actions)
        rewards = {agent: harvested.get(agent, Fraction(0)) for agent in self.agents}
        return rewards, self._infos(harvested, cleaned, illegal)

    def advance(self, actions):
        """The five parts of a step, in the order of the specification: who got what, by agent.

        Part 1, the schedule, was already applied when the observation was made from which
        these actions were chosen, and is applied at the end for the next one.
        """
        movers, harvesters, cleaners, illegal = self._sort_by_deed(actions)

        harvested = {}
        if harvesters:
            taken = min(self.fruit, self.settings["harvest_per_action"] * len(harvesters))
            self.fruit -= taken
            for agent in harvesters:
                harvested[agent] = Fraction(taken, len(harvesters))

        cleaned = {}
        if cleaners:
            removed = min(self.pollution, self.settings["clean_per_action"] * len(cleaners))
            self.pollution -= removed
            for agent in cleaners:
                cleaned[agent] = Fraction(removed, len(cleaners))

        self._grow_pollution()
        self._grow_fruit()

        for agent in movers:
            self.place[agent] = SHORE if self.place[agent] == GARDEN else GARDEN
        self.steps_made += 1
        self.apply_schedule()
        return harvested, cleaned, illegal

    def _sort_by_deed(self, actions):
        movers, harvesters, cleaners, illegal = [], [], [], {}
        for agent in self.agents:
            action = actions[agent]
            if action == WAIT:
                continue
            if action == MOVE:
                movers.append(agent)
            elif action == HARVEST and self.place[agent] == GARDEN:
                harvesters.append(agent)
            elif action == CLEAN and self.place[agent] == SHORE:
                cleaners.append(agent)
            else:
                illegal[agent] = 1
        return movers, harvesters, cleaners, illegal

    def _grow_pollution(self):
        if self._happens("prob_pollution_growth"):
            grown = self.pollution + self.settings["pollution_growth_per_step"]
            self.pollution = min(grown, self.config["pollution_max"])

    def _grow_fruit(self):
        threshold = self.settings["pollution_threshold"]
        if self.pollution < threshold and self._happens("prob_fruit_growth"):
            growth = self.settings["fruit_growth_per_step"]
            if self.config["fruit_regrowth"] == "linear":
                growth = growth * (threshold - self.pollution) // threshold
            self.fruit = min(self.fruit + growth, self.config["fruit_max"])

    def _happens(self, name):
        probability = self.settings[name]
        assert probability in (0, 1), f"{name} = {probability}: this oracle throws no dice"
        return probability == 1

    def apply_schedule(self):
        self.settings = dict(self.config)
        for step, changes in sorted(self.config["schedule"], key=lambda entry: entry[0]):
            if step <= self.steps_made:
                self.settings.update(changes)

    def _infos(self, harvested, cleaned, illegal):
        public = {name: self.settings[name] for name in PUBLIC_NUMBERS}
        return {
            agent: {
                "pollution": self.pollution,
                "fruit": self.fruit,
                **public,
                "harvested": harvested.get(agent, Fraction(0)),
                "cleaned": cleaned.get(agent, Fraction(0)),
                "illegal": illegal.get(agent, 0),
            }
            for agent in self.agents
        }


def best_two_agent_plan(**config):
    """The best welfare of a two-agent game and one sequence of joint actions that earns it.

    Plays every situation that can be reached with `SlowCleanup` itself and keeps, step by step,
    the best way into each: no formula of its own, hence slow. Since only the sum counts, agents
    are interchangeable and (x, y) is tried only with x <= y; illegal actions are left out.
    """
    game = SlowCleanup(num_agents=2, **config)
    first, second = game.agents
    start = (game.place[first], game.place[second], game.pollution, game.fruit)
    best = {start: (Fraction(0), None)}
    while not game.is_over():
        step = game.steps_made
        following = {}
        for situation, (welfare, plan) in best.items():
            for pair in _joint_actions(situation):
                _put(game, situation, step)
                harvested, _, _ = game.advance(dict(zip(game.agents, pair, strict=True)))
                reached = (game.place[first], game.place[second], game.pollution, game.fruit)
                total = welfare + sum(harvested.values())
                if reached not in following or total > following[reached][0]:
                    following[reached] = (total, (plan, pair))
        best = following
    welfare, plan = max(best.values(), key=lambda found: found[0])
    actions = []
    while plan is not None:
        plan, pair = plan
        actions.append(dict(zip(game.agents, pair, strict=True)))
    return welfare, actions[::-1]


def _joint_actions(situation):
    deeds = {GARDEN: (WAIT, MOVE, HARVEST), SHORE: (WAIT, MOVE, CLEAN)}
    here, there = situation[:2]
    pairs = [(x, y) for x in deeds[here] for y in deeds[there]]
    return [(x, y) for x, y in pairs if here != there or x <= y]


def _put(game, situation, step):
    game.place = dict(zip(game.agents, situation[:2], strict=True))
    game.pollution, game.fruit = situation[2:]
    game.steps_made = step
    game.apply_schedule()
