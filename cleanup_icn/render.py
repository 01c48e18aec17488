"""Pictures of the two places, for people: a few lines of text, or an image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cleanup_icn.observe import View

WIDTH, HEIGHT = 480, 300
_GARDEN, _SOIL, _FRUIT = (206, 232, 190), (120, 94, 66), (214, 58, 48)
_CLEAR, _DIRTY, _INK = (120, 182, 226), (122, 104, 60), (34, 38, 46)
_AGENTS = (
    (37, 99, 195), (232, 128, 24), (126, 60, 174), (16, 140, 116),
    (196, 46, 110), (96, 96, 96), (180, 150, 20), (20, 120, 180),
)  # fmt: skip
_GARDEN_WIDTH, _STATUS_HEIGHT = 264, 36


def render_ansi(seen: View) -> str:
    """Draw a state in three lines: step, garden with its fruit, shore with its pollution."""
    garden = [str(i) for i in range(seen.num_agents) if not seen.at_shore >> i & 1]
    shore = [str(i) for i in range(seen.num_agents) if seen.at_shore >> i & 1]
    p = seen.parameters
    return (
        f"step {seen.step}/{seen.horizon_steps}\n"
        f"  garden [{' '.join(garden):<{2 * seen.num_agents - 1}}]  fruit     "
        f"{_bar(seen.fruit, p.fruit_max, 'o')} {seen.fruit}/{p.fruit_max}\n"
        f"  shore  [{' '.join(shore):<{2 * seen.num_agents - 1}}]  pollution "
        f"{_bar(seen.pollution, p.pollution_max, '~')} {seen.pollution}/{p.pollution_max}, "
        f"fruit grows below {p.pollution_threshold}"
    )


def draw(seen: View) -> npt.NDArray[np.uint8]:
    """Draw a state as an image, uint8 of shape (300, 480, 3): garden left, river right."""
    from PIL import Image, ImageDraw

    p = seen.parameters
    image = Image.new("RGB", (WIDTH, HEIGHT), _GARDEN)
    pen = ImageDraw.Draw(image)
    dirt = seen.pollution / max(p.pollution_max, 1)
    water = tuple(round(c + (d - c) * dirt) for c, d in zip(_CLEAR, _DIRTY, strict=True))
    pen.rectangle((_GARDEN_WIDTH, 0, WIDTH, HEIGHT), fill=water)
    for i in range(min(seen.fruit, 96)):
        x, y = 18 + (i % 12) * 20, 48 + (i // 12) * 20
        pen.ellipse((x, y, x + 12, y + 12), fill=_FRUIT, outline=_SOIL)
    _draw_agents(pen, seen)
    pen.rectangle((0, 0, WIDTH, _STATUS_HEIGHT), fill=(250, 250, 247))
    pen.text((10, 11), f"fruit {seen.fruit}/{p.fruit_max}", fill=_INK)
    pen.text((150, 11), f"step {seen.step}/{seen.horizon_steps}", fill=_INK)
    pen.text(
        (_GARDEN_WIDTH + 10, 11),
        f"pollution {seen.pollution}/{p.pollution_max}, fruit grows below {p.pollution_threshold}",
        fill=_INK,
    )
    return np.asarray(image, dtype=np.uint8).copy()


def _draw_agents(pen: object, seen: View) -> None:
    from PIL import ImageDraw

    assert isinstance(pen, ImageDraw.ImageDraw)
    counts = [0, 0]
    for i in range(seen.num_agents):
        at_shore = seen.at_shore >> i & 1
        column, row = counts[at_shore] % 8, counts[at_shore] // 8
        counts[at_shore] += 1
        left = (_GARDEN_WIDTH + 10 if at_shore else 12) + column * 25
        top = HEIGHT - 34 - row * 27
        pen.rounded_rectangle(
            (left, top, left + 22, top + 22), 5, fill=_AGENTS[i % len(_AGENTS)], outline=_INK
        )
        pen.text((left + (8 if i < 10 else 5), top + 5), str(i), fill=(255, 255, 255))


def _bar(amount: int, most: int, mark: str, width: int = 20) -> str:
    filled = round(width * amount / most) if most else 0
    return mark * filled + "." * (width - filled)
