"""One seat that learns among partners, and meets others in its test."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

from agents.ppo import MaskedPolicy
from benchmarks.cleanup.policies import make_agents
from benchmarks.cleanup.runner import episode_under_way
from benchmarks.driver import play
from benchmarks.learning.bot_rows import row_policy
from benchmarks.learning.config_file import load_experiment
from benchmarks.learning.folder import TrainingFolder
from benchmarks.learning.partners_table import render_partners
from benchmarks.learning.runs import train_seeds
from benchmarks.learning.seeds import TEST, episode_seeds
from cleanup_icn import ConfigError

TINY = """
game = "partners"
[world]
horizon_steps = 12
[world.starts]
pollution_initial = [0, 8]
[contract]
kind = "fixed"
clauses = [{ type = "wage", payer = "others", payee = "all", per = "cleaned", rate = 0.6 }]
[partners]
seat = "agent_0"
training = ["all-harvest", "cleaner"]
held_out = ["division-of-labour"]
[training]
total_agent_steps = 96
num_lanes = 4
n_steps = 12
batch_size = 48
hidden_sizes = [8]
[evaluation]
episodes = 6
every = 1
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
        return load_experiment(str(file), game="partners")

    return load


def script(experiment, name):
    return row_policy(name, experiment.config, experiment.terms.contracts[0])


def played_alone(experiment, names, seed):
    """Returns of an episode with these policies on the seats, in the environment with words."""
    from benchmarks.cleanup.conditions import Fixed

    condition = Fixed(name="fixed", contract=experiment.terms.contracts[0])
    env = condition.make_env(experiment.config)
    seated = {
        seat: make_agents(name, env)[seat]
        for seat, name in zip(env.possible_agents, names, strict=True)
    }
    under_way = episode_under_way(
        env,
        seated,
        seed=seed,
        agent_seeds=dict.fromkeys(seated, 0),
        options=experiment.starts.options(seed),
    )
    steps = play(under_way, seated)
    return np.sum([np.add(step.game_rewards, step.transfers) for step in steps], axis=0)


@pytest.mark.parametrize("seat", [0, 1])
def test_each_partner_is_met_in_the_same_episodes(read, seat):
    experiment, _ = read(('seat = "agent_0"', f'seat = "agent_{seat}"'))
    seeds = episode_seeds(TEST, 3)
    measured = experiment.evaluate(script(experiment, "cleaner"), seeds)
    for partner, noted in measured["episodes"].items():
        names = ["cleaner", partner] if seat == 0 else [partner, "cleaner"]
        returns = np.array([played_alone(experiment, names, int(seed)) for seed in seeds])
        assert noted["own"] == pytest.approx(returns[:, seat].tolist())
        assert noted["welfare"] == pytest.approx(returns.sum(axis=1).tolist())


def test_measures_tell_known_partners_from_those_never_met(read):
    experiment, _ = read()
    measured = experiment.evaluate(script(experiment, "cleaner"), episode_seeds(TEST, 4))
    noted = measured["episodes"]
    assert [noted[name]["held_out"] for name in noted] == [False, False, True]
    known = [np.mean(noted[name]["own"]) for name in ("all-harvest", "cleaner")]
    assert measured["measures"]["own_return"] == pytest.approx(np.mean(known))
    held_out = noted["division-of-labour"]
    assert measured["measures"]["own_return_held_out"] == pytest.approx(np.mean(held_out["own"]))
    assert measured["measures"]["efficiency_held_out"] == pytest.approx(
        sum(held_out["welfare"]) / sum(held_out["optimum"])
    )


def test_in_training_partners_are_drawn_and_the_held_out_never_sit_down(read):
    experiment, _ = read()
    lanes = experiment.make_batch(200)
    lanes.reset(range(200))
    assert (lanes.num_agents, lanes.num_lanes) == (1, 200)
    assert set(lanes.partners[:, 0].tolist()) == {-1}
    assert np.bincount(lanes.partners[:, 1]).tolist() == pytest.approx([100, 100], abs=30)


def test_the_reference_is_the_best_script_in_the_seat(read):
    experiment, _ = read()
    (reference,) = experiment.references
    seeds = episode_seeds(TEST, 6)
    name = reference.name.removeprefix("best script, ")
    earned = experiment.evaluate(script(experiment, name), seeds, complete=False)["measures"]
    assert reference.value == pytest.approx(earned["own_return"])
    other = experiment.evaluate(script(experiment, "random"), seeds, complete=False)["measures"]
    assert reference.value >= other["own_return"]


def test_a_trained_seat_is_a_partner_in_a_later_training(read, tmp_path):
    experiment, written = read()
    out = tmp_path / "first"
    folder = TrainingFolder(out, experiment.to_dict(), name="tiny", written=written)
    train_seeds(experiment, folder, [0, 1], num_workers=0)
    assert {"own_return", "own_return_held_out"} <= folder.result(1)["row"].keys()

    later, _ = read(('["division-of-labour"]', f'["{out}"]'))
    own = MaskedPolicy.load(out / "seed-0" / "policy.zip")
    noted = later.evaluate(own, episode_seeds(TEST, 2))["episodes"]
    assert list(noted) == ["all-harvest", "cleaner", f"{out}/seed-0", f"{out}/seed-1"]

    held_out = ('["division-of-labour"]', f'["{out}"]')
    for other_game, message in (
        (("horizon_steps = 12", "horizon_steps = 13"), "world.horizon_steps = 12: expected 13"),
        (("rate = 0.6", "rate = 0.7"), r"contract.contracts\[0\].*rate = 0.6: expected 0.7"),
    ):
        with pytest.raises(ConfigError, match=f"partners: {out}: {message}, as here"):
            read(other_game, held_out)
    with pytest.raises(ConfigError, match="expected a partner that is not learned with"):
        read(('"cleaner"]', f'"{out}"]'), ('["division-of-labour"]', f'["{out}/"]'))


def test_a_policy_for_each_seat_is_no_partner(read, tmp_path):
    text = TINY[: TINY.index("[partners]")] + TINY[TINY.index("[training]") :]
    text = text.replace('"partners"', '"cleanup"').replace(
        "[training]", '[training]\nsharing = "independent"'
    )
    file, out = tmp_path / "each.toml", tmp_path / "each"
    file.write_text(text)
    experiment, written = load_experiment(str(file), game="cleanup")
    folder = TrainingFolder(out, experiment.to_dict(), name="each", written=written)
    train_seeds(experiment, folder, [0], num_workers=0)
    with pytest.raises(ConfigError, match="sharing = 'independent': expected 'shared'"):
        read(('["division-of-labour"]', f'["{out}"]'))


def test_the_table_has_a_row_for_every_partner(read):
    experiment, _ = read()
    noted = experiment.evaluate(script(experiment, "cleaner"), episode_seeds(TEST, 2))["episodes"]
    table = render_partners([noted, noted])
    assert list(table.columns[0].cells) == ["all-harvest", "cleaner", "division-of-labour"]
    assert list(table.columns[1].cells) == ["yes", "yes", "no"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"agent_0"', '"agent_2"', "partners.seat = 'agent_2': expected one of agent_0, agent_1"),
        ('"cleaner"]', '"sweeper"]', "partners.training = 'sweeper': expected one of"),
        ('["division-of-labour"]', "[]", r"partners.held_out = \[\]: expected a list"),
        ('["division-of-labour"]', '["cleaner"]', "partners.held_out = 'cleaner'"),
        ('held_out = ["division-of-labour"]', "", r"partners.held_out = '\(missing\)'"),
        ('"agent_0"', "1.0", "partners.seat = 1.0: expected the name of an agent"),
        ("seat =", "saet =", r"key in \[partners\] = 'saet'.*did you mean seat"),
        ("[training]\n", '[training]\nsharing = "independent"\n', "training.sharing"),
    ],
)
def test_a_file_that_cannot_be_is_refused(read, old, new, message):
    with pytest.raises(ConfigError, match=message):
        read((old, new))
