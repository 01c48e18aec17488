"""Pictures: the right form, and different where the world is."""

from __future__ import annotations

import numpy as np
import pytest

import cleanup_icn
from cleanup_icn import CleanupConfig
from cleanup_icn.observe import view
from cleanup_icn.render import HEIGHT, WIDTH, draw, render_ansi
from cleanup_icn.state import HARVEST, MOVE, CleanupState


def seen(*, shore=0, pollution=0, fruit=10, step=0, **config):
    return view(CleanupConfig(**config), CleanupState(shore, pollution, fruit), step, 0)


def test_the_text_shows_who_is_where_and_how_much_there_is():
    assert render_ansi(seen(shore=0b10, pollution=15, fruit=10, step=12, num_agents=3)) == (
        "step 12/50\n"
        "  garden [0 2  ]  fruit     oooooooooo.......... 10/20\n"
        "  shore  [1    ]  pollution ~~~~~~~~~~.......... 15/30, fruit grows below 6"
    )


def test_bars_are_full_at_the_maximum_empty_at_zero_and_survive_a_maximum_of_zero():
    assert f"{'o' * 20} 20/20" in render_ansi(seen(fruit=20))
    assert f"{'.' * 20} 0/20" in render_ansi(seen(fruit=0))
    assert f"{'.' * 20} 0/0" in render_ansi(seen(fruit=0, fruit_max=0, fruit_initial=0))


@pytest.mark.parametrize("num_agents", [2, 16])
def test_the_image_is_three_bytes_a_pixel(num_agents):
    image = draw(seen(num_agents=num_agents, shore=0b10))
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    assert image.flags.writeable


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"pollution": 30}, "right"),
        ({"fruit": 11}, "left"),
        ({"shore": 0b01}, "both"),
        ({"step": 7}, "left"),
        ({"pollution_threshold": 9}, "right"),
    ],
)
def test_the_image_changes_where_the_world_does(change, part):
    differs = (draw(seen()) != draw(seen(**change))).any(axis=2)
    left, right = differs[:, : WIDTH // 2].any(), differs[:, WIDTH // 2 :].any()
    assert (left, right) == {"left": (1, 0), "right": (0, 1), "both": (1, 1)}[part]


def test_the_same_world_is_the_same_image():
    assert np.array_equal(draw(seen(shore=0b10)), draw(seen(shore=0b10)))


def test_the_river_gets_browner_with_every_unit():
    reds = [int(draw(seen(pollution=amount))[150, WIDTH - 10, 2]) for amount in range(0, 31, 5)]
    assert reds == sorted(reds, reverse=True)
    assert len(set(reds)) == len(reds)


def test_a_garden_without_end_can_be_drawn():
    large = {"fruit_max": 10**6, "pollution_max": 10**6}
    assert draw(seen(fruit=10**6, pollution=10**6, **large)).shape == (HEIGHT, WIDTH, 3)


def test_an_environment_draws_in_the_mode_it_was_made_for(capsys):
    joint = {"agent_0": HARVEST, "agent_1": MOVE}
    drawn = {}
    for mode in (None, "ansi", "rgb_array", "human"):
        env = cleanup_icn.parallel_env(render_mode=mode)
        env.reset(seed=0)
        env.step(joint)
        drawn[mode] = env.render()
    printed = capsys.readouterr().out
    after = seen(shore=0b10, pollution=3, fruit=9, step=1)
    assert drawn["ansi"] == render_ansi(after)
    assert np.array_equal(drawn["rgb_array"], draw(after))
    assert drawn[None] is drawn["human"] is None
    assert printed.count(render_ansi(after)) == 2  # once by itself at the step, once when asked
