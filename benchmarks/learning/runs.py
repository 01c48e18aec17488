"""Training seeds of an experiment, several at a time, each in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from benchmarks.learning.experiment import BEST, LAST, SHARED, Experiment, Measured, Policy
from benchmarks.learning.folder import RESULT, TrainingFolder, read_progress, write_json
from benchmarks.learning.seeds import VALIDATION, episode_seeds
from benchmarks.workers import tell, workers
from cleanup_icn import ConfigError

if TYPE_CHECKING:
    from agents.ppo import MaskedPolicy

Report = Callable[[int, int], None]
"""Is told of progress: a training seed, and how many agent-steps it has made."""


def train_seed(experiment: Experiment, seed: int, out: Path, *, report: Report) -> None:
    """Train with one seed, going on from what is in `out`, and test what was learned.

    `result.json` holds what it does on the test episodes, which are the same for all training
    seeds.
    """
    from agents.ppo import train, train_independent

    validation = episode_seeds(VALIDATION, experiment.evaluation.episodes)

    def evaluate(policy: Policy) -> dict[str, float]:
        measured = experiment.evaluate(policy, validation, complete=False)
        return {"score": experiment.score_of(measured), **measured["measures"]}

    learn: Any = train if experiment.sharing == SHARED else train_independent
    trained = learn(
        experiment.make_batch(experiment.settings.num_lanes),
        experiment.settings,
        seed=seed,
        out=out,
        evaluate=evaluate,
        meta=experiment.to_dict(),
        on_progress=lambda agent_steps: report(seed, agent_steps),
        scoring=experiment.scoring,
    )
    learned = (trained,) if experiment.sharing == SHARED else trained
    measured = test_learned(experiment, out)
    seconds = sum(line["seconds"] for line in read_progress(out)[-1:])
    row = {
        "seed": seed,
        "agent_steps": sum(each.agent_steps for each in learned),
        "seconds": round(seconds, 1),
        "n": experiment.num_tested,
        **measured["measures"],
    }
    write_json(out / RESULT, {"row": row, "episodes": measured["episodes"]})


def test_learned(experiment: Experiment, folder: Path) -> Measured:
    """Play the test episodes by what a training seed learned, whose folder this is."""
    return experiment.test(load_learned(experiment, folder), folder)


def load_learned(experiment: Experiment, folder: Path) -> Policy:
    """Return the policy of a training seed that counts, or one a seat, from its checkpoint.

    Raises:
        ConfigError: a checkpoint is missing or damaged.
    """
    learned = [_read_checkpoint(file) for file in checkpoint_files(experiment, folder)]
    return learned[0] if experiment.sharing == SHARED else learned


def _read_checkpoint(file: Path) -> MaskedPolicy:
    from agents.ppo import MaskedPolicy

    try:
        return MaskedPolicy.load(file)
    except (OSError, ValueError, BadZipFile) as error:
        raise ConfigError("checkpoint", str(file), "what training left there, whole") from error


def checkpoint_files(experiment: Experiment, folder: Path) -> list[Path]:
    """Return the checkpoint of a training seed that counts, or those of the seats, in order."""
    name = _CHECKPOINTS[experiment.evaluation.checkpoint]
    if experiment.sharing == SHARED:
        return [folder / name]
    seats = sorted(folder.glob("seat-*"), key=lambda seat: int(seat.name.removeprefix("seat-")))
    return [seat / name for seat in seats]


_CHECKPOINTS = {LAST: "policy.zip", BEST: "best.zip"}


def train_seeds(
    experiment: Experiment,
    folder: TrainingFolder,
    seeds: Sequence[int],
    *,
    num_workers: int,
    report: Report = lambda _seed, _agent_steps: None,
) -> None:
    """Train with every seed that has no result yet, in this process (0 workers) or on several.

    The results are the same.

    Raises:
        BrokenProcessPool: if a process died.
    """
    due = [seed for seed in seeds if folder.result(seed) is None]
    if num_workers == 0:
        for seed in due:
            train_seed(experiment, seed, folder.of_seed(seed), report=report)
        return
    with workers(num_workers) as processes:
        futures = [processes.submit(_work, experiment, seed, folder.of_seed(seed)) for seed in due]
        for message in processes.heard(futures):
            report(*message)


def _work(experiment: Experiment, seed: int, out: Path) -> None:
    train_seed(experiment, seed, out, report=_report_from_worker)


def _report_from_worker(seed: int, agent_steps: int) -> None:
    tell((seed, agent_steps))
