"""Everybody plays with everybody, under every contract."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from run_folders import about_run, kept_in

from benchmarks.arena import Cell
from benchmarks.cleanup.policies import make_agents
from benchmarks.cleanup.runner import begin
from benchmarks.driver import play
from benchmarks.learning.cross_play import Pairing, open_folder, pairings, play_all
from benchmarks.learning.cross_play_figure import save_heat_maps
from benchmarks.learning.cross_play_rows import (
    ITSELF,
    OTHER_SEEDS,
    OTHERS,
    MatrixRow,
    company_rows,
    matrix_rows,
    returns_of,
)
from benchmarks.learning.cross_play_settings import (
    WORLDS,
    CrossPlay,
    CrossPlaySettings,
    load_cross_play,
)
from benchmarks.learning.trained_players import TrainedPlayers
from benchmarks.suite_file import suite_named
from benchmarks.training import is_available
from cleanup_icn import ConfigError

CLEANUP_SMOKE = suite_named("cleanup-smoke").arenas[0]

SCRIPTS = ("all-harvest", "contract-follower", "stub-cooperative")


def setting_of(*policies, episodes=2, ppo_seeds=0, **others):
    return CrossPlay(
        settings=CrossPlaySettings(
            policies=policies or SCRIPTS, episodes=episodes, ppo_seeds=ppo_seeds, **others
        )
    )


def played_in(path, setting, *, resume=False, **options):
    with open_folder(path, setting, resume=resume) as folder:
        return play_all(setting, folder, num_workers=0, **options)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Three scripts, all contracts, two episodes: the setting, its folder, what was played."""
    setting = setting_of()
    path = tmp_path_factory.mktemp("cross-play")
    return setting, path, played_in(path, setting)


def test_every_player_meets_every_player_under_every_contract(played):
    setting, _, episodes = played
    assert len(pairings(setting)) == 3 * 3 * 3
    assert set(episodes) == set(pairings(setting))
    assert all(sorted(done) == [0, 1] for done in episodes.values())


def test_all_cells_play_the_same_episodes(played):
    _, _, episodes = played
    for number in (0, 1):
        told = {
            (result.seed, result.agent_seeds, tuple(result.start.items()))
            for result in (done[number] for done in episodes.values())
        }
        assert len(told) == 1
    assert len({done[k].seed for done in episodes.values() for k in (0, 1)}) == 2


def test_with_itself_a_player_does_what_it_does_in_a_comparison(played):
    setting, _, episodes = played
    suite, condition = setting.arena, setting.arena.condition("fixed")
    env = condition.make_env(suite.scenario.config)
    agents = make_agents("contract-follower", env)
    cell = Cell(policy="contract-follower", contract="fixed")
    alone = play(begin(suite, cell, 1, env=env, agents=agents), agents)
    mine = episodes[Pairing("fixed", "contract-follower", "contract-follower")][1]
    assert replace(mine, policy=alone.policy) == alone


def test_the_row_takes_seat_0_and_the_column_the_other(played):
    _, _, episodes = played
    # Nobody but the stub that cooperates ever cleans where there is no contract.
    for row, column, cleans in (
        ("all-harvest", "stub-cooperative", {1}),
        ("stub-cooperative", "all-harvest", {0}),
    ):
        result = episodes[Pairing("none", row, column)][0]
        cleaners = {i for step in result.steps for i, a in enumerate(step.actions) if a == 3}
        assert cleaners <= cleans
        assert {i for step in result.steps for i, said in enumerate(step.answers) if said} == cleans


def test_a_row_has_the_means_of_both_sides_and_of_the_group(played):
    setting, _, episodes = played
    rows = matrix_rows(setting, episodes)
    row = next(r for r in rows if r.pairing == ("fixed", "all-harvest", "stub-cooperative"))
    results = episodes[row.pairing]
    returns = [returns_of(results[k]) for k in (0, 1)]
    told = row.to_dict()
    assert told["n"] == 2
    assert told["row_return"] == pytest.approx((returns[0][0] + returns[1][0]) / 2)
    assert told["column_return"] == pytest.approx((returns[0][1] + returns[1][1]) / 2)
    assert told["efficiency"] == pytest.approx(
        sum(sum(r) / sum(results[k].optimum_by_step) for k, r in enumerate(returns)) / 2
    )
    low, high = told["intervals"]["row_return"]
    assert low <= told["row_return"] <= high


def test_a_run_that_was_stopped_plays_what_is_missing(played, tmp_path):
    setting, path, episodes = played
    with open_folder(tmp_path, setting) as folder:
        folder.keep_episode(kept_in(path)[0])
    told = []
    again = played_in(
        tmp_path, setting, resume=True, report=lambda kind, amount: told.append((kind, amount))
    )
    assert told[0] == ("episodes", 1)
    assert sum(amount for _, amount in told) == 3 * 3 * 3 * 2
    assert {p: {k: r.to_dict() for k, r in d.items()} for p, d in again.items()} == {
        p: {k: r.to_dict() for k, r in d.items()} for p, d in episodes.items()
    }


def cell(row, column, own, others, *, contract="none", efficiency=(0.5, 0.5)):
    return MatrixRow(
        pairing=Pairing(contract, row, column),
        values={"row_return": own, "column_return": others, "efficiency": efficiency},
        seed=0,
    )


def matrix(players, values):
    """Cells in which seat 0 earns `values[row][column]` and the other seats ten times as much."""
    return [
        cell(row, column, (v, v + 2), (10 * v,) * 2, efficiency=(v / 10,) * 2, contract=contract)
        for contract in ("none", "fixed", "icn")
        for row, line in zip(players, values, strict=True)
        for column, v in zip(players, line, strict=True)
    ]


def test_a_player_is_summed_up_over_both_seats_and_all_others():
    setting = setting_of("all-harvest", "random", "planner")
    rows = matrix(("all-harvest", "random", "planner"), [[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    found = {(r.player, r.company): r for r in company_rows(setting, rows) if r.contract == "none"}
    itself = found["all-harvest", ITSELF].to_dict()
    assert itself["own_return"] == pytest.approx((1 + 10 + 3 + 10) / 4)
    others = found["all-harvest", OTHERS].to_dict()
    assert (others["n"], others["over"]) == (2, "episodes")
    assert others["own_return"] == pytest.approx(
        ((2 + 3 + 40 + 70) / 4 + (4 + 5 + 40 + 70) / 4) / 2
    )
    assert others["efficiency"] == pytest.approx((0.2 + 0.3 + 0.4 + 0.7) / 4)
    assert ("all-harvest", OTHER_SEEDS) not in found


def test_those_trained_alike_are_summed_up_over_their_training_seeds():
    setting = setting_of("all-harvest", ppo_seeds=3)
    players = setting.players("none")
    assert players == ("all-harvest", "ppo-0", "ppo-1", "ppo-2")
    values = [[9.0, 1, 1, 1], [2, 8, 5, 5], [2, 5, 7, 5], [2, 5, 5, 6]]
    rows = company_rows(setting, matrix(players, values))
    found = {(r.player, r.company): r.to_dict() for r in rows if r.contract == "none"}
    assert found["ppo", ITSELF]["efficiency"] == pytest.approx(0.7)
    assert (found["ppo", ITSELF]["n"], found["ppo", ITSELF]["over"]) == (3, "training seeds")
    low, high = found["ppo", ITSELF]["intervals"]["efficiency"]
    assert (low, high) == pytest.approx((0.7 - 0.2484, 0.7 + 0.2484), abs=1e-3)
    assert found["ppo", OTHER_SEEDS]["efficiency"] == pytest.approx(0.5)
    assert found["ppo", OTHERS]["efficiency"] == pytest.approx(0.15)
    assert "ppo-0" not in {player for player, _ in found}


def test_two_training_seeds_that_meet_each_other_are_one_meeting():
    setting = setting_of("all-harvest", ppo_seeds=2)
    values = [[9.0, 1, 1], [2, 8, 5], [2, 6, 7]]
    rows = company_rows(setting, matrix(setting.players("none"), values))
    (met,) = [r.to_dict() for r in rows if r.company == OTHER_SEEDS and r.contract == "none"]
    assert met["n"] == 1
    assert met["intervals"]["efficiency"] == [None, None]
    assert met["efficiency"] == pytest.approx(0.55)


def test_the_heat_maps_name_players_contracts_and_numbers(played, tmp_path):
    setting, _, episodes = played
    path = tmp_path / "figure.svg"
    save_heat_maps(setting, matrix_rows(setting, episodes), [path])
    svg = path.read_text()
    for words in (*SCRIPTS, "contract: icn", "contract: fixed", "return of seat 0", "efficiency"):
        assert words in svg
    mean = f"{matrix_rows(setting, episodes)[0].mean('efficiency'):.2f}"
    assert mean in svg


def test_the_command_prints_rows_and_leaves_records_and_pictures(command, tmp_path):
    file = tmp_path / "few.toml"
    file.write_text('policies = ["all-harvest", "random"]\nppo_seeds = 0\nepisodes = 1\n')
    out = tmp_path / "out"
    code, printed, said = command(
        "cross-play", "--config", file, "--out", out, "--workers", 0, "--json"
    )
    assert code == 0
    rows = json.loads(printed)
    assert len(rows) == 2 * 2 * 3
    assert {"contract", "row", "column", "n", "row_return", "column_return"} <= rows[0].keys()
    assert str(out) in said
    assert json.loads((out / "table.json").read_text()) == rows
    assert about_run(out)["status"] == "complete"
    assert len(kept_in(out)) == len(rows)
    assert (out / "figure.png").exists()
    company = json.loads((out / "company.json").read_text())
    assert {row["company"] for row in company} == {ITSELF, OTHERS}

    code, printed, _ = command("cross-play", "--config", file, "--out", out, "--workers", 0)
    assert code == 0
    assert "contract: none" in printed
    assert "all others" in printed


@pytest.mark.skipif(not is_available(), reason="needs the extra [ppo]")
def test_policies_are_trained_once_for_each_contract_and_play_there(tmp_path, monkeypatch):
    world = replace(CLEANUP_SMOKE, conditions=CLEANUP_SMOKE.conditions[1:2])
    monkeypatch.setitem(WORLDS, world.name, world)
    setting = setting_of("all-harvest", episodes=1, ppo_seeds=2, ppo_agent_steps=64)
    first = played_in(tmp_path, setting)
    checkpoints = [tmp_path / f"ppo-{k}" / world.name / "fixed" / "policy.json" for k in (0, 1)]
    told = [json.loads(file.read_text()) for file in checkpoints]
    assert [each["meta"]["contract"]["name"] for each in told] == ["fixed"] * 2
    assert told[0]["seed"] != told[1]["seed"]
    assert len(first) == 3 * 3

    trained_at = checkpoints[0].stat().st_mtime_ns
    again = played_in(tmp_path, setting, resume=True)
    assert checkpoints[0].stat().st_mtime_ns == trained_at
    assert {p: d[0].to_dict() for p, d in again.items()} == {
        p: d[0].to_dict() for p, d in first.items()
    }


def test_the_default_settings_are_those_without_a_file():
    assert load_cross_play("default") == CrossPlay(settings=CrossPlaySettings())
    assert CrossPlaySettings().world == "cleanup-smoke"


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_has_no_contract_a_fixed_one_and_talks(world):
    setting = setting_of(world=world)
    assert [condition.name for condition in setting.arena.conditions] == ["none", "fixed", "icn"]
    assert setting.arena.num_episodes == 2


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('world = "mars"', "world = 'mars': expected one of cleanup-smoke, default"),
        ('policies = ["ppo"]', r"policies = \['ppo'\]: expected different ones of all-harvest"),
        ('policies = ["random", "random"]', "policies = .*: expected different ones"),
        ("episodes = 0", "episodes = 0: expected an integer of at least 1"),
        ("ppo_seeds = -1", "ppo_seeds = -1"),
        ("sede = 1", r"key in the file = 'sede'.*did you mean seed"),
        ("= 3", "a readable TOML file"),
    ],
)
def test_a_file_that_cannot_be_is_refused(tmp_path, written, message):
    file = tmp_path / "settings.toml"
    file.write_text(written)
    with pytest.raises(ConfigError, match=message) as caught:
        load_cross_play(str(file))
    assert str(file) in str(caught.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text("episodes = 0\nsede = 1\n")
    with pytest.raises(ConfigError) as caught:
        load_cross_play(str(file))
    assert len(str(caught.value).splitlines()) == 2


def test_a_folder_that_holds_no_training_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="training"):
        load_cross_play("default", [tmp_path])


@pytest.mark.parametrize("names", [("wage", "wage"), ("ppo",), ("all-harvest",)])
def test_a_folder_that_is_called_like_another_player_is_refused(names):
    trained = tuple(
        TrainedPlayers(path="/", name=name, contract="none", seeds=(0,), sharing="shared")
        for name in names
    )
    settings = CrossPlaySettings(policies=SCRIPTS)
    with pytest.raises(ConfigError, match=r"--trained = .*: expected folders of different names"):
        CrossPlay(settings=settings, trained=trained)
