"""The figures of a study: what is drawn from its summary, and what is said of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from benchmarks.study.course_figure import WINDOW_STEPS, smoothed
from benchmarks.study.figures import captions, figures_of, save_figures

KIND, FALLING = "linear-threshold", "linear-threshold-falling"
CHANGE = {"kind": KIND, "moment": 25, "pace": "sudden", "policy": "equilibrium"}
LISTS = {
    "course": "courses",
    "critical-change": "rows",
    "judges": "tradeoff",
    "acceptance": "regions",
}
SENTENCE = "agent_0 pays agent_1 0.6 for each unit of pollution that agent_1 removes, at most 40"


def row(magnitude, efficiency, condition="least-wage", **fields):
    family = "-".join(condition.split("-")[:2])
    bounds = {"efficiency_low": None, "efficiency_high": None}
    told = {"group": "main", "magnitude": magnitude, "condition": condition, "family": family}
    return {**CHANGE, **told, "efficiency": efficiency, **bounds, "n": 1, **fields}


def critical(magnitude, level=0.05, *, family="least-wage", **fields):
    curve = [[0, 0.0, None, None], [3, 0.06, None, None], [8, 0.2, None, None]]
    ends = {"low": magnitude, "high": magnitude}
    told = {"family": family, "level": level, "magnitude": magnitude, "curve": curve, "n": 1}
    return {**CHANGE, **told, **ends, "never": 0.0, "crossings": [], **fields}


def judged(judge, cost, efficiency, negotiations, **fields):
    told = {"judge": judge, "cost": cost, "efficiency": efficiency, "negotiations": negotiations}
    world = {**CHANGE, "magnitude": 8, "family": "least-wage"}
    return {**world, **told, "low": None, "high": None, "n": 1, **fields}


def region(magnitude=4, rates=(0.0, 1.0), fractions=(0.0, 0.5, 1.0), **masks):
    empty = [[False] * len(fractions) for _ in rates]
    names = ("before", "after", "implements_before", "implements_after")
    told = {"kind": KIND, "magnitude": magnitude, "overlap": 0.25, "survives": 0.5}
    axes = {"rates": list(rates), "fractions": list(fractions)}
    return {**told, **axes, **dict.fromkeys(names, empty), **masks}


def course(*, fixed=4.0, renegotiated=6.0, words="wage 0.75", **fields):
    sequence = [[0, 20, words], [20, 40, "wage 2"]]
    treatments = [
        {
            "condition": "least-wage",
            "welfare": [fixed] * 40,
            "contracts": [[0, 40, words]],
        },
        {"condition": "least-wage-change", "welfare": [renegotiated] * 40, "contracts": sequence},
        {
            "condition": "least-wage-expires",
            "welfare": [1.0] * 40,
            "contracts": [[0, 20, words], [20, 40, "no contract"]],
        },
    ]
    changes = [[20, "pollution threshold 6 to 8"]]
    steps = {"steps": list(range(40)), "changes": changes, "optimum": [8.0] * 40}
    return {**CHANGE, "magnitude": 4, **steps, "treatments": treatments, **fields}


def study(**lists):
    empty = ("rows", "critical_magnitudes", "tradeoff", "best_judge", "regions", "courses")
    about = {"size": "quick", "n": 321, "command": ["commonweal", "study", "critical-change"]}
    return {**about, **{name: [] for name in empty}, **lists}


def whole():
    conditions = ("least-wage", "least-wage-change", "least-wage-expires")
    rows = [row(m, 0.9, condition) for m in (0, 4, 8) for condition in conditions]
    return study(
        rows=rows,
        critical_magnitudes=[critical(3), critical(8, 0.1)],
        tradeoff=[judged("never", 0, 0.7, 0.0), judged("every-5", 0, 0.9, 10.0)],
        best_judge=[judged("every-5", 0, 0.9, 10.0)],
        regions=[region()],
        courses=[course()],
    )


def drawn(told, name):
    """Return the axes of a figure by their labels."""
    figure = Figure()
    next(each for each in figures_of(told) if each.name == name).draw(figure)
    return {axes.get_label(): axes for axes in figure.axes}


def line(axes, label):
    """Return the points of the line of this label, None where there is none."""
    found = [each for each in axes.lines if each.get_label() == label]
    return [tuple(map(float, point)) for point in found[0].get_xydata()] if found else None


def words_in(axes):
    return [each.get_text() for each in axes.texts]


def test_every_figure_is_saved_as_png_and_as_svg(tmp_path):
    folder = tmp_path / "new"
    files = [path.name for path in save_figures(whole(), folder)]
    assert files == [f"{name}.{suffix}" for name in LISTS for suffix in ("png", "svg")]
    assert sorted(files) == sorted(path.name for path in folder.iterdir())


def test_the_same_study_gives_the_same_bytes_of_an_svg(tmp_path):
    first, second = (save_figures(whole(), tmp_path / name) for name in ("a", "b"))
    vectors = [path for path in first if path.suffix == ".svg"]
    assert len(vectors) == len(LISTS)
    for one, other in zip(first, second, strict=True):
        assert one.suffix != ".svg" or one.read_bytes() == other.read_bytes()


def test_a_study_of_nothing_has_no_figures(tmp_path):
    assert save_figures(study(), tmp_path) == []
    assert captions(study()) == {}


@pytest.mark.parametrize(("figure", "name"), LISTS.items())
def test_a_figure_without_anything_to_show_is_left_out(figure, name):
    told = {**whole(), name: []}
    assert [each.name for each in figures_of(told)] == [each for each in LISTS if each != figure]


def test_a_caption_says_how_many_there_are_and_which_command_gave_them():
    told = captions(whole())
    assert list(told) == list(LISTS)
    for caption in told.values():
        assert "321 episodes" in caption
        assert "commonweal study critical-change" in caption
    assert "n = 1 episode" in told["critical-change"]


@pytest.mark.parametrize(
    "command",
    [
        ["study", "critical-change", "--out", "/somewhere/run", "--size", "quick"],
        ["commonweal", "study", "critical-change", "--size", "quick", "--out", "/somewhere/run"],
        "commonweal study critical-change --out /somewhere/run --size quick",
    ],
)
def test_a_caption_names_the_command_without_the_folder_of_its_run(command):
    caption = captions({**whole(), "command": command})["acceptance"]
    assert caption.endswith("by `commonweal study critical-change --size quick`.")


def test_a_caption_of_an_unknown_command_names_none():
    assert captions({**whole(), "command": []})["acceptance"].endswith("321 episodes.")


def test_captions_say_what_the_study_found():
    assert "loses: least wage 0.10" in captions(whole())["critical-change"]
    assert (
        "least wage: 160 where it stays, 240 where it is renegotiated"
        in captions(whole())["course"]
    )
    assert "every-5 at cost 0" in captions(whole())["judges"]
    assert "+4: 0 of 6 contracts before" in captions(whole())["acceptance"]
    noisy = study(rows=[row(0, 1.0, n=20), row(4, 0.9, n=20)])
    assert "n = 20 episodes" in captions(noisy)["critical-change"]
    mixed = study(rows=[row(0, 1.0, n=2), row(4, 0.9, n=20)])
    assert "n = 2 to 20 episodes" in captions(mixed)["critical-change"]


# critical changes


def test_every_kind_has_a_panel_with_a_curve_and_a_strip_of_marks():
    rows = [row(0, 1.0, kind=kind) for kind in (KIND, FALLING, "harvest-rate")]
    panels = drawn(study(rows=rows), "critical-change")
    assert sorted(panels) == sorted(
        f"{part} {kind}"
        for part in ("curves", "critical")
        for kind in (KIND, FALLING, "harvest-rate")
    )


def test_a_curve_goes_through_the_efficiencies_in_the_order_of_magnitudes():
    rows = [row(8, 0.6), row(0, 1.0), row(4, 0.9), row(4, 0.2, policy="contract-follower")]
    rows += [row(4, 0.1, pace="gradual"), row(4, 0.3, group="tradeoff"), row(4, 0.4, moment=10)]
    rows += [row(0, 0.5, "least-wage-expires"), row(0, 0.97, "least-wage-change")]
    panel = drawn(study(rows=rows), "critical-change")[f"curves {KIND}"]
    assert line(panel, "least-wage stays") == [(0, 1.0), (4, 0.9), (8, 0.6)]
    assert line(panel, "least-wage expires") == [(0, 0.5)]
    assert line(panel, "least-wage renegotiated") == [(0, 0.97)]


def test_a_point_without_a_number_is_left_out():
    told = study(rows=[row(0, 1.0), row(4, None), row(8, 0.6)])
    panel = drawn(told, "critical-change")[f"curves {KIND}"]
    assert line(panel, "least-wage stays") == [(0, 1.0), (8, 0.6)]


def test_critical_magnitudes_are_marked_where_they_are():
    marks = [critical(3), critical(8, 0.1), critical(None, family="fair-wage")]
    marks += [critical(6, policy="contract-follower"), critical(7, group="learned")]
    rows = [row(m, 0.9, family) for m in (0, 3, 8) for family in ("least-wage", "fair-wage")]
    strip = drawn(study(rows=rows, critical_magnitudes=marks), "critical-change")[
        f"critical {KIND}"
    ]
    assert line(strip, "least-wage 0.05") == [(3, 0)]
    assert line(strip, "least-wage 0.1") == [(8, 0)]
    assert len(strip.lines) == 2


@pytest.mark.parametrize(("high", "end"), [(8, 8), (None, 8), (3, None)])
def test_an_interval_of_a_critical_magnitude_ends_at_the_last_that_was_played(high, end):
    told = study(rows=[row(0, 1.0)], critical_magnitudes=[critical(3, low=3, high=high)])
    spread = line(drawn(told, "critical-change")[f"critical {KIND}"], "_interval")
    assert spread == (None if end is None else [(3, 0), (end, 0)])


def test_a_larger_fall_stands_further_to_the_right():
    rows = [row(m, 0.9, kind=kind) for kind in (FALLING, "harvest-rate") for m in (0, -8)]
    rows.append(row(8, 0.9, kind="harvest-rate"))
    panels = drawn(study(rows=rows), "critical-change")
    assert panels[f"curves {FALLING}"].xaxis_inverted()
    assert not panels["curves harvest-rate"].xaxis_inverted()


def test_bands_are_drawn_where_there_are_intervals_alone():
    exact = drawn(study(rows=[row(0, 1.0), row(4, 0.9)]), "critical-change")[f"curves {KIND}"]
    bounds = {"efficiency_low": 0.8, "efficiency_high": 0.95}
    rows = [row(0, 1.0), row(4, 0.9, **bounds)]
    noisy = drawn(study(rows=rows), "critical-change")[f"curves {KIND}"]
    assert (len(exact.collections), len(noisy.collections)) == (0, 1)


def test_another_moment_is_shown_where_the_study_has_no_other():
    rows = [row(0, 1.0, moment=10), row(4, 0.9, moment=10), row(4, 0.8, moment=40)]
    told = study(rows=rows)
    panel = drawn(told, "critical-change")[f"curves {KIND}"]
    assert line(panel, "least-wage stays") == [(0, 1.0), (4, 0.9)]
    assert "at step 10, sudden" in captions(told)["critical-change"]


def test_a_sudden_change_at_step_25_is_shown_whatever_else_there_is_more_of():
    others = [row(m, 0.5, pace="gradual") for m in (0, 2, 4)]
    told = study(rows=[*others, row(0, 1.0)])
    panel = drawn(told, "critical-change")[f"curves {KIND}"]
    assert line(panel, "least-wage stays") == [(0, 1.0)]


# courses


def test_changes_are_lines_with_words_at_their_steps():
    panel = drawn(study(courses=[course()]), "course")["welfare least-wage"]
    assert [each.get_xdata()[0] for each in panel.lines if len(each.get_xdata()) == 2] == [20]
    assert words_in(panel) == ["pollution threshold 6 to 8"]


def test_words_of_changes_that_come_soon_after_one_another_stand_below_one_another():
    changes = [[20, "pollution threshold 6 to 8"], [22, "pollution threshold 8 to 10"]]
    panel = drawn(study(courses=[course(changes=changes)]), "course")["welfare least-wage"]
    heights = [each.xyann[1] for each in panel.texts]
    assert heights[1] < heights[0]


def test_the_strip_shows_which_contract_is_in_force_when():
    strip = drawn(study(courses=[course()]), "course")["in force 0"]
    spans = [(each.get_x(), each.get_x() + each.get_width()) for each in strip.patches]
    assert spans == [(0, 40), (0, 20), (20, 40), (0, 20), (20, 40)]
    assert words_in(strip) == ["wage 0.75", "wage 0.75", "wage 2", "wage 0.75", "no contract"]
    assert [each.get_text() for each in strip.get_yticklabels()] == [
        "stays",
        "renegotiated",
        "expires",
    ]


def test_a_long_contract_has_a_letter_and_its_words_stand_below():
    figure = Figure()
    figures_of(study(courses=[course(words=SENTENCE)]))[0].draw(figure)
    strip = next(axes for axes in figure.axes if axes.get_label() == "in force 0")
    assert words_in(strip)[1:3] == ["A", "wage 2"]
    assert figure.get_supxlabel() == f"A: {SENTENCE}"


def test_the_course_is_shown_in_which_renegotiation_gains_most():
    several = [course(), course(fixed=2.0, magnitude=6), course(fixed=6.0, magnitude=8)]
    told = study(courses=several)
    panel = drawn(told, "course")["welfare least-wage"]
    assert {y for _, y in line(panel, "least-wage")} == {2.0}
    assert "+6" in captions(told)["course"]
    assert "Of 3 courses" in captions(told)["course"]


def test_wages_and_shares_of_one_course_have_a_panel_each():
    both = course()
    shares = [
        {**each, "condition": each["condition"].replace("wage", "share")}
        for each in both["treatments"]
    ]
    panels = drawn(
        study(courses=[{**both, "treatments": [*shares, *both["treatments"]]}]), "course"
    )
    assert list(panels) == [
        "welfare least-wage",
        "in force 0",
        "welfare least-share",
        "in force 1",
    ]


def test_a_course_of_one_treatment_is_drawn():
    alone = course()
    alone["treatments"] = alone["treatments"][:1]
    panel = drawn(study(courses=[alone]), "course")["welfare least-wage"]
    assert line(panel, "least-wage") is not None
    assert line(panel, "optimum")[0] == (0.5, 8.0)


@given(values=st.lists(st.floats(0, 100), min_size=12, max_size=60), at=st.integers(0, 60))
def test_a_moving_mean_knows_nothing_of_the_other_side_of_a_change(values, at):
    at = min(max(at, WINDOW_STEPS), len(values) - WINDOW_STEPS)
    whole_course = smoothed(values, [at])
    assert whole_course == smoothed(values[:at], []) + smoothed(values[at:], [])
    assert whole_course[at - 1] == pytest.approx(sum(values[at - WINDOW_STEPS : at]) / WINDOW_STEPS)


def test_a_moving_mean_levels_pulses():
    for pulse in ([10.0, 0.0], [12.0, 0.0, 0.0]):
        mean = sum(pulse) / len(pulse)
        assert smoothed(pulse * 12, []) == [mean] * 12 * len(pulse)


# judges


def test_judges_stand_in_the_order_of_their_talks():
    entries = [judged("every-5", 0, 0.9, 10.0), judged("never", 0, 0.7, 0.0)]
    entries += [judged("change", 0, 0.95, 2.0), judged("every-5", 5, 0.5, 6.0)]
    panel = drawn(study(tradeoff=entries), "judges")["judges 0"]
    labels = [each.get_text() for each in panel.get_xticklabels()]
    assert labels == ["never (0)", "change (2)", "every-5 (6 to 10)"]
    assert [y for _, y in line(panel, "cost 0")] == [0.7, 0.95, 0.9]
    assert [(round(x), y) for x, y in line(panel, "cost 5")] == [(2, 0.5)]


def test_the_best_judge_at_each_cost_is_ringed():
    entries = [judged("never", 0, 0.7, 0.0), judged("every-5", 0, 0.9, 10.0)]
    entries += [judged("never", 5, 0.7, 0.0), judged("every-5", 5, 0.4, 10.0)]
    told = study(tradeoff=entries, best_judge=[entries[1], entries[2]])
    panel = drawn(told, "judges")["judges 0"]
    assert line(panel, "best at its cost 0") == [line(panel, "cost 0")[1]]
    assert line(panel, "best at its cost 5") == [line(panel, "cost 5")[0]]


def test_exact_players_have_a_panel_a_world_and_others_only_where_there_are_none():
    mine = [judged("never", 0, 0.7, 0.0, magnitude=m) for m in (4, 8, 16)]
    others = [judged("never", 0, 0.6, 0.0, policy="contract-follower", magnitude=m) for m in (4, 8)]
    assert len(drawn(study(tradeoff=[*others, *mine]), "judges")) == 3
    assert len(drawn(study(tradeoff=others), "judges")) == 2
    assert "Of 5 panels 3" in captions(study(tradeoff=[*others, *mine]))["judges"]


def test_a_judge_without_a_number_is_left_out_and_intervals_are_drawn():
    entries = [judged("never", 0, None, None), judged("change", 0, 0.9, 1.0, low=0.8, high=1.0)]
    panel = drawn(study(tradeoff=entries), "judges")["judges 0"]
    assert len(line(panel, "cost 0")) == 1
    assert [0.8, 1.0] in [list(each.get_ydata()) for each in panel.lines]
    assert "judges" not in captions(study(tradeoff=entries[:1]))


# acceptance


def test_regions_are_coloured_by_who_accepts_when():
    before = [[False, True, False], [False, False, True]]
    after = [[False, False, True], [False, False, True]]
    panels = drawn(study(regions=[region(before=before, after=after)]), "acceptance")
    mesh = panels["region 0"].collections[0]
    codes = mesh.get_array().reshape(3, 2).T.tolist()
    assert codes == [[0, 1, 2], [0, 0, 3]]
    assert panels["region 0"].get_title(loc="left") == "+4: overlap 25%"


def test_contracts_that_bring_the_optimum_about_are_marked():
    implements = [[False, True, False], [False, False, True]]
    before = [[True] * 3, [False] * 3]
    told = study(regions=[region(before=before, implements_before=implements)])
    panel = drawn(told, "acceptance")["region 0"]
    assert line(panel, "implements before, accepted") == [(0.0, 0.5)]
    assert line(panel, "implements before, not accepted") == [(1.0, 1.0)]
    assert line(panel, "implements after, accepted") == []


def test_every_magnitude_has_a_panel():
    regions = [region(magnitude) for magnitude in (2, 4, 8)]
    panels = drawn(study(regions=regions), "acceptance")
    titles = [axes.get_title(loc="left") for axes in panels.values()]
    assert titles == ["+2: overlap 25%", "+4: overlap 25%", "+8: overlap 25%"]


def test_a_grid_of_one_contract_and_an_unknown_overlap_are_drawn(tmp_path):
    told = study(regions=[region(rates=(1.0,), fractions=(0.5,), overlap=None, survives=None)])
    assert len(save_figures(told, tmp_path)) == 2
    panel = drawn(told, "acceptance")["region 0"]
    assert panel.get_title(loc="left") == "+4: overlap none"


def test_a_region_without_contracts_is_left_out():
    assert captions(study(regions=[region(rates=(), fractions=())])) == {}
