"""Colours are told apart by everybody, and text is read: page, report and plots."""

from __future__ import annotations

import re
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from colours import APART, READ, VISION, contrast, distance, named, over, seen

import striate.explorer
from striate.inspect import drawing
from striate.report import pictures, results
from striate.report.style import STYLE

CSS = (Path(striate.explorer.__file__).parent / "static/styles/base.css").read_text()
LIGHT, DARK, AUTOMATIC = (
    named(block) for block in re.findall(r":root[^{]*\{(?!\s*:root)([^}]*)\}", CSS)
)
REPORT = [
    named(block) for block in re.findall(r":root \{([^}]*?--page: #[0-9a-f]{6};[^}]*)", STYLE)
]
THEMES = {
    "page, light": LIGHT, "page, dark": DARK,
    "report, light": REPORT[0], "report, dark": REPORT[1],
}  # fmt: skip


def test_the_dark_theme_is_the_same_chosen_or_asked_by_the_system() -> None:
    assert DARK == AUTOMATIC
    assert set(DARK) == set(LIGHT)


@pytest.mark.parametrize(("theme", "vision"), [*product(THEMES, VISION)])
def test_colours_that_mean_something_are_told_apart(theme: str, vision: str) -> None:
    """Signs, the two lines of a chart, a bar and its ghost; others have a sign or a word too."""
    colours = THEMES[theme]
    pairs = [("blue", "orange"), ("blue", "card"), ("orange", "card"), ("blue", "red")]
    pairs += [("blue", "rose"), ("rose", "card"), ("blue", "zero"), ("orange", "zero")]
    for one, other in pairs:
        if one in colours and other in colours:
            assert distance(colours[one], colours[other], vision) >= APART, (one, other)


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_read_on_its_ground(theme: str) -> None:
    colours = THEMES[theme]
    grounds = {name: colours[name] for name in ("card", "page", "well", "tint") if name in colours}
    for (name, ground), ink in product(grounds.items(), ("ink", "soft")):
        assert contrast(colours[ink], ground) >= READ, (ink, name)
    for ink in ("blue", "orange", "rose", "green", "red"):
        if ink in colours:
            assert contrast(colours[ink], colours["card"]) >= READ, ink
    for ink, name in (("blue", "blue-soft"), ("ink", "blue-soft"), ("ink", "warn")):
        if ink in colours and name in colours:
            assert contrast(colours[ink], colours[name]) >= READ, (ink, name)


@pytest.mark.parametrize(
    ("theme", "share"), [*product(("report, light", "report, dark"), (0.1, 1))]
)
def test_the_numbers_of_the_report_s_matrix_are_read(theme: str, share: float) -> None:
    colours = THEMES[theme]
    cell = over(colours["blue"], colours["card"], results.STRONGEST * share)
    assert contrast(colours["ink"], cell) >= READ


def diverging() -> dict[str, np.ndarray]:
    matplotlib = pytest.importorskip("matplotlib")
    drawn = 255 * matplotlib.colormaps[drawing.DIVERGING](np.linspace(0, 1, 9))[:, :3]
    at = np.linspace(0, 1, 9)
    own = pictures.coloured(at, 0, 1, pictures.DIVERGING).astype(float)
    return {"plots": drawn, "report": own}


@pytest.mark.parametrize(("scale", "vision"), [*product(("plots", "report"), VISION)])
def test_the_sign_of_a_value_is_seen(scale: str, vision: str) -> None:
    """Half as strong as the strongest and above: values of both signs look different."""
    colours = diverging()[scale]
    for below, above in ((0, 8), (1, 7), (2, 6)):
        assert distance(colours[below], colours[above], vision) >= APART, (below, above)
    for arm in (colours[4::-1], colours[4:]):  # away from zero it gets stronger
        steps = [distance(arm[0], one, vision) for one in arm]
        assert all(a < b for a, b in pairwise(steps))


@pytest.mark.parametrize("vision", VISION)
def test_scales_that_rise_get_lighter(vision: str) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    plots = 255 * matplotlib.colormaps[drawing.RISING](np.linspace(0, 1, 9))[:, :3]
    own = pictures.coloured(np.linspace(0, 1, 9), 0, 1, pictures.RISING).astype(float)
    for colours in (plots, own):
        light = [seen(one, vision)[0] for one in colours]
        assert all(b - a > 0.02 for a, b in pairwise(light))
