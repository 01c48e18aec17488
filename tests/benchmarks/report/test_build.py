"""A run's report: every episode in it once, whole or not there, the same for the same run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from built_reports import small_suite, smallest_arena, transcripts_in, value_in
from run_folders import begin_run, kept_in, play_run

from benchmarks.compare import open_folder
from benchmarks.database import WriterLock
from benchmarks.report import build
from benchmarks.report.build import PACK_SIZE, build_report
from benchmarks.store import TABLE, open_run
from benchmarks.suite import Suite
from cleanup_icn import ConfigError


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    play_run(small_suite(), out, command=["compare", "small"])
    return out


@pytest.fixture(scope="module")
def smallest_run(tmp_path_factory):
    """A run of two episodes: its report is written in a moment."""
    out = tmp_path_factory.mktemp("smallest")
    play_run(smallest_arena(), out)
    return out


@pytest.fixture(scope="module")
def report(run):
    return build_report(run)


@pytest.fixture(scope="module")
def told(report):
    return value_in(report / "data" / "run.js")


def test_the_report_stands_in_the_folder_of_the_run(run, report):
    assert report == run / "report"
    assert (report / "index.html").is_file()


def test_the_table_of_episodes_has_a_row_each_in_the_order_of_the_run(run, report):
    index = value_in(report / "data" / "episodes.js")
    columns, names = index["columns"], index["names"]
    assert len(set(columns)) == len(columns)
    kept = kept_in(run)
    assert len(index["rows"]) == len(kept) == 20
    for values, episode in zip(index["rows"], kept, strict=True):
        row = dict(zip(columns, values, strict=True))
        for column in ("arena", "policy", "contract"):
            assert names[column][row[column]] == getattr(episode.row, column)
        assert (row["episode"], row["seed"]) == (episode.row.episode, episode.row.seed)
        assert row["malformed"] == episode.row.malformed
        assert row["status"] == ("malformed" if episode.row.malformed else "ok")
        for name in set(columns[9:]):
            value = episode.row.measures.get(name)
            assert row[name] == (None if value is None else pytest.approx(float(value), abs=1e-6))


def test_every_episode_has_its_transcript_in_its_pack(run, report):
    found = transcripts_in(report)
    assert [transcript["number"] for transcript in found] == list(range(20))
    for transcript, episode in zip(found, kept_in(run), strict=True):
        for name in ("arena", "policy", "contract", "episode", "seed"):
            assert transcript[name] == getattr(episode.row, name)


def test_packs_are_as_large_as_the_viewer_is_told(run, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "PACK_SIZE", 4)
    begin_run(small_suite(), tmp_path / "run", kept_in(run)[:9])
    folder = build_report(tmp_path / "run")
    packs = sorted((folder / "data" / "transcripts").iterdir())
    assert [file.name for file in packs] == ["00000.js", "00001.js", "00002.js"]
    assert [len(value_in(file)) for file in packs] == [4, 4, 1]
    assert value_in(folder / "data" / "run.js")["pack_size"] == 4
    assert [t["number"] for t in transcripts_in(folder)] == list(range(9))


def test_the_first_page_says_what_was_run(told):
    assert told["title"] == told["suite"] == "small"
    assert told["command"] == "commonweal compare small"
    assert (told["status"], told["num_episodes"]) == ("complete", 20)
    assert told["pack_size"] == PACK_SIZE
    assert told["versions"]["python"]
    assert [arena["game"] for arena in told["arenas"]] == ["cleanup", "negotiation"]


def test_conditions_are_told_in_words(told):
    cleanup, negotiation = (
        {condition["name"]: condition["text"] for condition in arena["conditions"]}
        for arena in told["arenas"]
    )
    assert "nobody pays" in cleanup["none"]
    assert cleanup["fixed"].startswith("Until the end: the others pay every agent 1 ")
    assert "at the start and whenever the world has changed" in cleanup["icn"]
    assert "all of them are cooperative" in negotiation["base/cooperative"]
    assert "(p2) is after something else: greedy" in negotiation["base/greedy-veto"]


def test_means_and_intervals_are_those_of_the_comparison(run, told):
    rows = json.loads((run / TABLE).read_text())
    shown = [row for arena in told["arenas"] for row in arena["table"]["rows"]]
    assert len(shown) == len(rows) == 10
    for row, known in zip(shown, rows, strict=True):
        assert (row["policy"], row["contract"]) == (known["policy"], known["contract"])
        assert row["n"] == known["n"]
        for name, cell in row["cells"].items():
            assert cell["mean"] == pytest.approx(known[name])
            assert [cell["low"], cell["high"]] == pytest.approx(known["intervals"][name])


def test_no_mean_is_shown_without_its_interval(told):
    for arena in told["arenas"]:
        for row in arena["table"]["rows"]:
            assert row["n"] == 2
            assert row["unit"] == "episode"
            for cell in row["cells"].values():
                assert "[" in cell["text"] or "same in all 2" in cell["text"]


def test_a_second_table_leaves_out_episodes_that_could_not_be_read(told):
    for arena in told["arenas"]:
        policies = {row["policy"] for row in arena["sensitivity"]["rows"]}
        assert "stub-erratic" not in policies
        assert policies == {"contract-follower"} or policies == {"best-guess"}


def test_comparisons_are_tables_of_words(told):
    for arena in told["arenas"]:
        assert arena["comparisons"]
        for table in arena["comparisons"]:
            assert all(len(row) == len(table["columns"]) for row in table["rows"])
            assert all(isinstance(text, str) for row in table["rows"] for text in row)


def test_the_same_run_gives_the_same_bytes(run, report, tmp_path):
    again = build_report(run, tmp_path / "again")
    assert _bytes_in(again) == _bytes_in(report)


def test_an_earlier_report_gives_way_to_the_new_one(smallest_run, tmp_path):
    folder = tmp_path / "report"
    build_report(smallest_run, folder)
    (folder / "data" / "transcripts" / "99999.js").write_text("left over")
    build_report(smallest_run, folder)
    assert not (folder / "data" / "transcripts" / "99999.js").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_report_that_fails_leaves_the_earlier_one_and_nothing_else(
    smallest_run, tmp_path, monkeypatch
):
    folder = tmp_path / "report"
    build_report(smallest_run, folder)
    before = _bytes_in(folder)

    def full_disk(_folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "copy_site", full_disk)
    with pytest.raises(ConfigError, match=r"--out = .*No space left on device"):
        build_report(smallest_run, folder)
    assert _bytes_in(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_folder_of_something_else_is_left_alone(smallest_run, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match=r"--out = .*that of a report"):
        build_report(smallest_run, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_in_the_place_of_the_report_is_refused(smallest_run, tmp_path):
    (tmp_path / "report").write_text("a file")
    with pytest.raises(ConfigError, match="--out = "):
        build_report(smallest_run, tmp_path / "report")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="run = "):
        build_report(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_run_that_goes_on_is_reported_as_far_as_it_is(run, tmp_path):
    suite, kept = small_suite(), kept_in(run)
    begin_run(suite, tmp_path / "run", kept[:3] + kept[-2:])
    lock = WriterLock(tmp_path / "run")
    folder = build_report(tmp_path / "run")
    lock.release()
    told = value_in(folder / "data" / "run.js")
    assert (told["status"], told["num_episodes"]) == ("running", 5)
    with open_run(tmp_path / "run") as reader:
        assert told["started_at"] == reader.about["started_at"]
    counts = [row["n"] for arena in told["arenas"] for row in arena["table"]["rows"]]
    assert counts == [2, 1, 2]
    assert len(transcripts_in(folder)) == 5


def test_a_run_that_nobody_writes_any_more_is_not_said_to_go_on(run, tmp_path):
    begin_run(small_suite(), tmp_path / "run", kept_in(run)[:1])
    told = value_in(build_report(tmp_path / "run") / "data" / "run.js")
    assert (told["status"], told["num_episodes"]) == ("killed", 1)


def test_the_command_of_a_run_can_be_pasted_into_a_shell(tmp_path):
    play_run(smallest_arena(), tmp_path / "my run", command=["compare", "--out", "my run"])
    told = value_in(build_report(tmp_path / "my run") / "data" / "run.js")
    assert told["command"] == "commonweal compare --out 'my run'"


@pytest.mark.parametrize("end", ["", ".", "?", "!"])
def test_what_a_suite_says_of_itself_ends_as_a_sentence_does(tmp_path, end):
    suite = replace(small_suite(), description=f"Who cleans{end}")
    begin_run(suite, tmp_path / "run")
    told = value_in(build_report(tmp_path / "run") / "data" / "run.js")
    assert told["description"] == f"Who cleans{end or '.'}"


def test_a_run_without_an_episode_has_a_report_too(tmp_path):
    begin_run(small_suite(), tmp_path / "run")
    told = value_in(build_report(tmp_path / "run") / "data" / "run.js")
    assert told["num_episodes"] == 0
    assert all(not arena["table"]["rows"] for arena in told["arenas"])


def test_hostile_words_of_a_model_stay_data(run, tmp_path):
    hostile = "</script><script>alert(1)</script>'\\\u2028\u202e\x00<img src=x onerror=alert(1)>"
    kept = kept_in(run)
    spoken = next(k for k in kept if k.record["policy"] == "stub-erratic")
    first, *rest = spoken.record["steps"]
    answers = [hostile, *first["answers"][1:]]
    record = {**spoken.record, "steps": [{**first, "answers": answers}, *rest]}
    begin_run(small_suite(), tmp_path / "run", [replace(spoken, record=record)])
    folder = build_report(tmp_path / "run")
    (transcript,) = transcripts_in(folder)
    assert transcript["frames"][0]["acts"][0]["said"] == hostile
    for file in folder.rglob("data/**/*.js"):
        assert "alert" not in file.read_text()


def test_what_went_wrong_is_told_on_the_first_page(smallest_run, tmp_path):
    suite = Suite(name="bare", description="", arenas=(smallest_arena(),))
    with open_folder(tmp_path / "run", suite) as folder:
        folder.keep_episode(kept_in(smallest_run)[0])
        failures = [f"episode {k}: no answer" for k in range(5)]
        folder.write_run(
            {"stopped": "the budget is spent", "failures": failures}, is_complete=False
        )
    told = value_in(build_report(tmp_path / "run") / "data" / "run.js")
    assert told["status"] == "stopped"
    assert told["description"] == (
        "The run stopped: the budget is spent. Episodes without an answer: 5 (episode 0: no "
        "answer; episode 1: no answer; episode 2: no answer; ...)."
    )


def test_progress_is_told_episode_by_episode(smallest_run, tmp_path):
    steps = []
    build_report(
        smallest_run, tmp_path / "report", report=lambda done, all_: steps.append((done, all_))
    )
    assert steps == [(1, 2), (2, 2)]


def _bytes_in(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
