"""Contract learning in two stages: playing under any contract, then proposing and voting."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

from benchmarks.cleanup.arena import wage_for_cleaning
from benchmarks.cleanup.conditions import contract_encoder
from benchmarks.learning.bot_rows import row_policy
from benchmarks.learning.config_file import load_experiment
from benchmarks.learning.folder import TrainingFolder
from benchmarks.learning.reproduction import reproduce
from benchmarks.learning.runs import train_seeds
from benchmarks.learning.seeds import TEST, VALIDATION
from benchmarks.learning.two_stage import (
    CRITIC,
    RETURNS,
    contract_name,
    judged,
    proposed_in_play,
    votes_in_play,
    wage_rate,
    weigh,
)
from benchmarks.learning.two_stage_figure import save_values_figure
from benchmarks.learning.two_stage_report import report
from cleanup_icn import ConfigError
from cleanup_icn.contracts import Contract, LumpSum
from cleanup_icn.observe import agent_names

TINY = """
game = "contracts"
[world]
horizon_steps = 12
[world.starts]
pollution_initial = [0, 8]
[contract]
kind = "random"
menu = [0.6, 2.0]
[training]
total_agent_steps = 320
num_lanes = 4
n_steps = 12
batch_size = 48
hidden_sizes = [8]
[evaluation]
episodes = 4
every = 2
[proposals]
starts = 3
episodes = 2
[proposals.training]
total_agent_steps = 64
num_lanes = 8
n_steps = 2
batch_size = 16
hidden_sizes = [8]
evaluate_every_rollouts = 1
"""


@pytest.fixture
def read(tmp_path):
    """Read the file of a tiny experiment; words in it may be replaced."""

    def load(*replacements):
        text = TINY
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "tiny.toml"
        file.write_text(text)
        return load_experiment(str(file), game="contracts")

    return load


class Frozen:
    """Stage one for a test: a script that plays, and a critic that says what it is told (K, N)."""

    def __init__(self, experiment, values):
        config = experiment.config
        self._rows = row_policy("division-of-labour", config, Contract())
        self._values = np.asarray(values, float)
        encoder = contract_encoder(config)
        self._shown = np.array(
            [
                [encoder.encode(contract, agent) for agent in agent_names(config.num_agents)]
                for contract in experiment.terms.contracts
            ]
        )

    def act(self, observations, masks, uniforms):
        return self._rows.act(observations, masks, uniforms)

    def values(self, observations):
        size = self._shown.shape[2]
        agents = observations[:, : self._values.shape[1]].argmax(axis=1)
        seen = observations[:, -size - 1 : -1]  # the open balance is last
        far = np.abs(self._shown[:, agents] - seen).sum(axis=2)
        assert (far.min(axis=0) == 0).all()
        return self._values[far.argmin(axis=0), agents]


class Proposer:
    """Stage two for a test: names one contract and votes by a rule on (voter, contract)."""

    def __init__(self, experiment, contract, accepts):
        self._k, self._n = len(experiment.contract_names), experiment.config.num_agents
        self._contract, self._accepts = contract, accepts

    def act(self, observations, masks, uniforms):
        actions = []
        for row, mask in zip(observations, masks, strict=True):
            me = int(row[3 : 3 + self._n].argmax())
            proposed = int(row[-self._k :].argmax())
            if mask[self._k]:
                actions.append(self._k if self._accepts(me, proposed) else self._k + 1)
            else:
                actions.append(self._contract if mask[0] else self._k + 2)
        return np.array(actions)


#            null        wage 0.6    wage 2
WORTH = [[10.0, 10.0], [30.0, 12.0], [12.0, 40.0]]


def report_on(experiment, worth=WORTH, *, contract=1, accepts=lambda _me, _proposed: True):
    return report(experiment, Frozen(experiment, worth), Proposer(experiment, contract, accepts))


def test_stage_one_draws_the_null_contract_too(read):
    experiment, _ = read()
    assert experiment.contract_names == ("none", "wage 0.6", "wage 2")
    lanes = experiment.make_batch(300)
    lanes.reset(range(300))
    assert np.bincount(lanes.contracts, minlength=3).min() > 70


def test_proposals_are_solved_by_the_payoffs(read):
    experiment, _ = read()
    found = report_on(experiment)
    assert found.decisions.solved[CRITIC].tolist() == [[1] * 4, [2] * 4]  # by proposer, by start
    assert found.decisions.best_accepted.tolist() == [2] * 4
    table = found.table
    assert np.array_equal(found.decisions.solved[CRITIC][1], table.solve(1))


def test_payoffs_may_be_returns_of_episodes_played(read):
    by_critic, _ = read()
    by_returns, _ = read(("[proposals]\n", '[proposals]\nvalues = "returns"\n'))
    assert np.array_equal(report_on(by_critic).table.values[0], np.array(WORTH))
    found = report_on(by_returns)
    assert np.array_equal(found.table.values, found.worths.sampled.mean)
    assert np.array_equal(found.decisions.solved[RETURNS][0], found.table.solve(0))


def test_what_is_learned_is_measured_beside_what_is_solved(read):
    experiment, _ = read()
    measures = report_on(experiment, contract=1).measures()
    assert measures["same_as_solved"] == 0.5  # agent_1 would have named the other wage
    assert measures["lost_by_proposer"] == pytest.approx((0 + 28) / 2)
    assert measures["votes_as_solved"] == 1.0


def test_one_vote_against_leaves_everybody_without_a_contract(read):
    experiment, _ = read(("horizon_steps = 12", "horizon_steps = 12\nnum_agents = 4"))
    worth = [[1.0] * 4, [9.0] * 4, [5.0] * 4]
    for refuses in range(4):
        found = report_on(experiment, worth, accepts=lambda me, _, no=refuses: me != no)
        for proposer in range(4):
            expected = 1 if proposer == refuses else 0
            assert found.decisions.learned[proposer].tolist() == [expected] * 4
            assert found.decisions.proposed[proposer].tolist() == [1] * 4


def test_votes_are_asked_for_on_every_contract(read):
    experiment, _ = read()
    found = report_on(experiment, accepts=lambda me, proposed: (me, proposed) != (1, 2))
    votes = found.decisions.votes  # (proposers, starts, contracts, agents)
    assert votes.shape == (2, 4, 3, 2)
    assert not votes[0, :, 2, 1].any()
    votes = votes.copy()
    votes[0, :, 2, 1] = True
    assert votes.all()
    assert found.measures()["votes_as_solved"] == pytest.approx(0.75)


def test_efficiency_is_welfare_under_the_contracts_in_force_over_the_optimum(read):
    experiment, _ = read()
    found = report_on(experiment)
    welfare, optimum = found.judged.mean.sum(axis=2), found.optimum.sum()
    measures = found.measures()
    # The script plays alike under every contract, and nothing is lost in transfers.
    for name in ("efficiency", "efficiency_no_contract", "efficiency_solved"):
        assert measures[name] == pytest.approx(welfare[:, 0].sum() / optimum)
    other = replace(
        found,
        judged=found.judged._replace(mean=np.broadcast_to(np.array(WORTH), (4, 3, 2))),
        optimum=np.full(4, 100.0),
    )
    assert other.measures()["efficiency_solved"] == pytest.approx((42 + 52) / 200)
    assert other.measures()["efficiency_best_accepted"] == pytest.approx(52 / 100)
    assert other.measures()["efficiency_no_contract"] == pytest.approx(20 / 100)
    assert other.measures()["critic_error"] == pytest.approx(0.0)


def test_a_fixed_proposer_alone_proposes(read):
    experiment, _ = read(("[proposals]\n", '[proposals]\nproposer = "agent_1"\n'))
    found = report_on(experiment)
    assert experiment.proposers == (1,)
    assert found.decisions.solved[CRITIC].tolist() == [[2] * 4]


def test_starts_to_learn_from_and_to_test_with_differ_but_the_configured_one(read):
    experiment, _ = read(("starts = 3", "starts = 40"))
    learn, test = experiment.start_set(VALIDATION), experiment.start_set(TEST)
    assert (learn.pollution[0], learn.fruit[0]) == (test.pollution[0], test.fruit[0]) == (0, 10)
    assert learn.pollution.tolist() != test.pollution.tolist()


def test_play_and_votes_of_stage_two_follow_its_likeliest_actions(read):
    experiment, _ = read()
    table = report_on(experiment).table
    shown = experiment.start_set(TEST).shown(experiment.config)
    policy = Proposer(experiment, 2, lambda _me, _proposed: True)
    proposed, decided = proposed_in_play(experiment, table, shown, policy)
    assert proposed.tolist() == decided.tolist() == [[2] * 4] * 2
    assert votes_in_play(experiment, table, shown, policy).all()


def test_a_training_is_stored_drawn_and_comes_out_the_same_again(read, tmp_path):
    experiment, written = read()
    out = tmp_path / "out"
    folder = TrainingFolder(out, experiment.to_dict(), name=experiment.name, written=written)
    train_seeds(experiment, folder, [0], num_workers=0)
    result = json.loads((out / "seed-0" / "result.json").read_text())
    assert result["episodes"]["menu"] == ["none", "wage 0.6", "wage 2"]
    assert np.shape(result["episodes"]["values"]["critic"]) == (4, 3, 2)
    assert np.shape(result["episodes"]["values"]["returns"]) == (4, 3, 2)
    assert np.shape(result["episodes"]["decisions"]["learned"]) == (2, 4)
    assert 0 <= result["row"]["efficiency"] <= 1
    assert result["row"]["n"] == 4 * 2  # from 4 starts, 2 episodes each
    kept = out / "seed-0" / "proposals"
    assert {"policy.zip", "values.svg", "values.png"} <= {file.name for file in kept.iterdir()}
    assert json.loads((kept / "policy.json").read_text())["seed"] == 0
    (again,) = reproduce(out)
    assert again.differences == ()


def test_the_figure_shows_values_who_accepts_and_what_is_chosen(read, tmp_path):
    experiment, _ = read()
    path = tmp_path / "values.svg"
    save_values_figure(report_on(experiment), [path])
    svg = path.read_text()
    for words in (
        "agent_0, played",
        "agent_1, its critic",
        "all accept, by the payoffs",
        "in force, solved by critic",
        "in force, learned",
        "best that all accept",
        "wage per unit cleaned",
        "from pollution 0, fruit 10",
    ):
        assert words in svg


def test_a_menu_of_other_contracts_is_drawn_by_number(read, tmp_path):
    gift = '{ clauses = [{ type = "lump_sum", payer = "agent_0", payee = "agent_1", amount = 1 }] }'
    experiment, _ = read(("menu = [0.6, 2.0]", f"menu = [{gift}]"))
    path = tmp_path / "values.svg"
    save_values_figure(report_on(experiment, [[1.0, 1.0], [0.0, 2.0]]), [path])
    assert "wage per unit cleaned" not in path.read_text()


def test_contracts_have_short_names():
    gift = Contract([LumpSum(payer="agent_0", payee="agent_1", amount=3)])
    assert contract_name(Contract()) == "none"
    assert contract_name(wage_for_cleaning(0.25)) == "wage 0.25"
    assert contract_name(gift) == gift.to_text()
    assert wage_rate(gift) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "random"\nmenu = [0.6, 2.0]', 'kind = "none"', "contract.kind = 'none'"),
        (
            "menu = [0.6, 2.0]",
            "menu = [0.6, 0.6]",
            "contract.menu = .*: expected each contract once",
        ),
        ("[proposals]\n", '[proposals]\nproposer = "agent_2"\n', "proposals.proposer = 'agent_2'"),
        ("[proposals]\n", '[proposals]\nvalues = "hope"\n', "proposals.values = 'hope'"),
        ("starts = 3", "starts = 0", "proposals.starts = 0: expected an integer of at least 1"),
        ("starts = 3", "starst = 3", r"key in \[proposals\] = 'starst'.*did you mean starts"),
        ("[training]\n", '[training]\nsharing = "independent"\n', "training.sharing"),
        ("num_lanes = 8", "num_lanes = 0", "proposals.training.num_lanes = 0"),
        (
            "batch_size = 16",
            "batch_size = 31",
            "proposals.training.batch_size = 31: expected one that leaves no single agent-step",
        ),
        (
            "batch_size = 16",
            "bootstrap_truncation = true",
            r"key in \[proposals.training\] = 'bootstrap_truncation'",
        ),
        (
            TINY[TINY.index("[proposals.training]") :],
            "training = 3",
            r"proposals.training = 3: expected a section \[proposals.training\]",
        ),
        ("[proposals]\n", "[proposals]\nproposer = 1.0\n", "proposals.proposer = 1.0"),
        (
            "episodes = 4\n",
            'episodes = 4\ncheckpoint = "best"\n',
            "evaluation.checkpoint = 'best': expected 'last'",
        ),
    ],
)
def test_a_file_that_cannot_be_is_refused(read, old, new, message):
    with pytest.raises(ConfigError, match=message):
        read((old, new))


def test_episodes_that_judge_throw_other_dice_than_those_that_decided(read):
    experiment, _ = read(("horizon_steps = 12", "horizon_steps = 12\nprob_pollution_growth = 0.5"))
    stage_one = Frozen(experiment, WORTH)  # takes no chances itself
    decided = weigh(experiment, stage_one, TEST).sampled.mean
    assert np.array_equal(decided, weigh(experiment, stage_one, TEST).sampled.mean)
    assert not np.array_equal(decided, judged(experiment, stage_one).mean)
