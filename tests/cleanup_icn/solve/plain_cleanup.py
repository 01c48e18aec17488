"""Games that are small enough for plain recursion, and that recursion for two.

Nothing here comes from `cleanup_icn.solve` but the mixed equilibria of a single stage game.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
from hypothesis import strategies as st

from cleanup_icn import CleanupConfig, rules
from cleanup_icn.contracts import (
    Condition,
    Contract,
    Duration,
    Fine,
    LumpSum,
    Quota,
    Share,
    Wage,
    transfers,
)
from cleanup_icn.observe import public_quantities
from cleanup_icn.solve.stage import mixed_equilibria
from cleanup_icn.state import NUM_ACTIONS, CleanupState, Dice

AGENTS = ("agent_0", "agent_1")
CLOSE = 1e-9
RARELY_TIED = (0.0, 0.2, 0.35, 0.5, 0.6, 1.0, 1.7)


@st.composite
def configs(draw, *, num_agents=2, horizons=(2, 3), chance=True, schedules=True, announced=None):
    """Small rivers and gardens, stochastic or not, surprising or not."""
    pollution_max, fruit_max = draw(st.integers(1, 6)), draw(st.integers(0, 8))
    horizon, rate = draw(st.sampled_from(horizons)), st.integers(0, 4)
    odds = st.sampled_from([1.0, 1.0, 0.3, 0.75] if chance else [1.0])
    threshold = st.integers(0, pollution_max)
    change = st.fixed_dictionaries(
        {},
        optional={
            "pollution_threshold": threshold,
            "harvest_per_action": rate,
            "clean_per_action": rate,
        },
    )
    entry = st.tuples(st.integers(0, horizon - 1), change)
    return CleanupConfig(
        num_agents=num_agents,
        horizon_steps=horizon,
        pollution_max=pollution_max,
        pollution_initial=draw(st.integers(0, pollution_max)),
        pollution_threshold=draw(threshold),
        pollution_growth_per_step=draw(rate),
        fruit_max=fruit_max,
        fruit_initial=draw(st.integers(0, fruit_max)),
        fruit_growth_per_step=draw(rate),
        harvest_per_action=draw(rate),
        clean_per_action=draw(rate),
        prob_pollution_growth=draw(odds),
        prob_fruit_growth=draw(odds),
        fruit_regrowth=draw(st.sampled_from(["step", "linear"])),
        schedule=draw(st.lists(entry, max_size=2)) if schedules else (),
        announce_changes=draw(st.booleans()) if announced is None else announced,
    )


def clauses(names):
    role = st.sampled_from([*names, "others", "all"])
    feature = st.sampled_from(["harvested", "cleaned", "reward"])
    price = st.sampled_from(RARELY_TIED)
    condition = st.builds(
        Condition,
        st.sampled_from(["pollution", "fruit", "step", "pollution_threshold", "clean_per_action"]),
        st.sampled_from([">=", ">", "<=", "<", "==", "!="]),
        st.integers(0, 4).map(float),
    )
    between = {"payer": role, "payee": role}
    always = {**between, "when": st.none() | condition}
    fraction = price.filter(lambda x: x <= 1)
    return st.one_of(
        st.builds(Share, **always, of=feature, fraction=fraction),
        st.builds(Wage, **always, per=feature, rate=price),
        st.builds(Fine, **always, per=feature, rate=price),
        st.builds(Quota, **always, per=feature, at_least=st.sampled_from([0.5, 2.0]), amount=price),
        st.builds(LumpSum, **between, amount=st.sampled_from([0.0, 2.5])),
    )


@st.composite
def contracts(draw):
    """Contracts of two that settle step by step: no caps."""
    parties = draw(st.sampled_from([None, None, AGENTS, AGENTS[::-1], AGENTS[:1]]))
    duration = draw(
        st.sampled_from([Duration(), Duration(), Duration("change")])
        | st.integers(0, 3).map(lambda step: Duration("step", step))
    )
    chosen = draw(st.lists(clauses(parties or AGENTS), max_size=3))
    return Contract(chosen, duration, parties)


def legal_actions(state):
    """Each agent's legal actions in their order."""
    return [
        [a for a in range(NUM_ACTIONS) if rules.is_legal(a, bool(state.at_shore >> i & 1))]
        for i in range(2)
    ]


class PlainGame:
    """A game of two under a contract, its lump sums left out, one state and step at a time."""

    def __init__(self, config, contract=None):
        self.config = config
        contract = contract or Contract()
        self.duration = contract.duration
        by_step = [clause for clause in contract.clauses if not isinstance(clause, LumpSum)]
        self.contract = Contract(by_step, parties=contract.parties)
        self.changes = [step for step in config.change_steps if step]
        self.is_surprising = bool(self.changes) and not config.announce_changes
        self.gains = cache(self.gains)

    def belief(self, step):
        """From which step on the parameters are taken to stay; None if the course is known."""
        if not self.is_surprising:
            return None
        return max([0, *(change for change in self.changes if change <= step)])

    def parameters(self, step, belief):
        return self.config.parameters_at(step if belief is None else belief)

    def binds(self, step, belief):
        if self.duration.until == "step":
            return step < self.duration.step
        known = [c for c in self.changes if belief is None or c <= belief]
        return self.duration.until == "end" or not known or step < known[0]

    def outcomes(self, state, joint, step, belief=None):
        """Yield (chance, state after, both agents' gains) of each fall of the dice."""
        parameters = self.parameters(step, belief)
        odds = parameters.prob_pollution_growth, parameters.prob_fruit_growth
        for grows in product((True, False), repeat=2):
            chance = np.prod([p if g else 1 - p for p, g in zip(odds, grows, strict=True)])
            if chance > 0:
                dice = Dice(*(0.0 if g else 1.0 for g in grows))
                after, done = rules.step(state, joint, dice, parameters)
                place = state._replace(at_shore=0)  # where agents stand is in what was done
                yield chance, after, self.gains(place, done, step, belief)

    def gains(self, state, done, step, belief):
        features = {}
        for i, agent in enumerate(AGENTS):
            eaten = done.harvest_share if done.harvesters >> i & 1 else 0.0
            cleaned = done.clean_share if done.cleaners >> i & 1 else 0.0
            features[agent] = {"harvested": eaten, "cleaned": cleaned, "reward": eaten}
        moved = dict.fromkeys(AGENTS, 0.0)
        if self.binds(step, belief):
            believed = step if belief is None else belief
            public = {**public_quantities(self.config, state, believed), "step": step}
            moved = transfers(self.contract, features, public)
        return np.array([features[agent]["reward"] + moved[agent] for agent in AGENTS])

    def stage(self, state, step, ahead, belief=None):
        """Both payoff matrices, (2, 3, 3): gains now and what is ahead of a state."""
        first, second = legal_actions(state)
        worth = np.zeros((2, len(first), len(second)))
        for (i, a), (j, b) in product(enumerate(first), enumerate(second)):
            for chance, after, gains in self.outcomes(state, (a, b), step, belief):
                worth[:, i, j] += chance * (gains + ahead(after, step + 1))
        return worth


class PlainEquilibrium(PlainGame):
    """One selected equilibrium, found by recursion from the state asked for."""

    def __init__(self, config, contract=None, *, selection):
        super().__init__(config, contract)
        self.sign = 1 if selection == "high" else -1
        self.believed = cache(self.believed)
        self.value = cache(self.value)

    def believed(self, state, step, belief):
        """Return what both play, two rows over legal actions, and what they expect of it."""
        if step == self.config.horizon_steps:
            return None, np.zeros(2)

        def ahead(after, then):
            return self.believed(after, then, belief)[1]

        worth = self.stage(state, step, ahead, belief)
        stable = [
            (i, j)
            for i, j in product(range(3), repeat=2)
            if worth[0, i, j] >= worth[0, :, j].max() - CLOSE
            and worth[1, i, j] >= worth[1, i, :].max() - CLOSE
        ]
        if stable:
            welfare = [self.sign * worth[:, i, j].sum() for i, j in stable]
            i, j = next(
                place for place, w in zip(stable, welfare, strict=True) if w >= max(welfare) - CLOSE
            )
            return np.stack([np.eye(3)[i], np.eye(3)[j]]), worth[:, i, j]
        found = mixed_equilibria(worth[:1], worth[1:], highest=self.sign > 0)
        x, y = found.rows[0], found.columns[0]
        return np.stack([x, y]), np.array([x @ own @ y for own in worth])

    def strategies(self, state, step):
        """Return the probabilities of the four actions, (2, 4)."""
        found = np.zeros((2, NUM_ACTIONS))
        played = self.believed(state, step, self.belief(step))[0]
        for i, legal in enumerate(legal_actions(state)):
            found[i, legal] = played[i]
        return found

    def value(self, state, step):
        """Return what both get in the true world from here on."""
        if step == self.config.horizon_steps:
            return np.zeros(2)
        x, y = self.strategies(state, step)
        total = np.zeros(2)
        for a, b in product(np.flatnonzero(x), np.flatnonzero(y)):
            for chance, after, gains in self.outcomes(state, (int(a), int(b)), step):
                total += x[a] * y[b] * chance * (gains + self.value(after, step + 1))
        return total


def reachable(config):
    """Every (state, step) before the horizon that some play leads to."""
    game = PlainGame(config)
    here = {CleanupState(0, config.pollution_initial, config.fruit_initial)}
    for step in range(config.horizon_steps):
        yield from ((state, step) for state in sorted(here))
        here = {
            after
            for state in here
            for joint in product(*legal_actions(state))
            for _, after, _ in game.outcomes(state, joint, step)
        }
