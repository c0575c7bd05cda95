"""Every text of the page is read on what lies behind it, in light and dark."""

from __future__ import annotations

from typing import Any

import pytest
from colours import APART, READ, VISION, contrast, distance
from explored import Served
from playwright.sync_api import Page
from seen import TABS, Requests, opened

pytestmark = pytest.mark.browser

TEXTS = """() => {
  const PASSED = "script, style, noscript, option, :disabled, .unseen, .skip";
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => { // whatever form CSS has it in
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], ground) => [r, g, b].map((one, at) => a * one + (1 - a) * ground[at]);
  const groundOf = (element) => {
    if (!element) return [255, 255, 255];
    const { backgroundColor } = getComputedStyle(element), own = rgba(backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, groundOf(element.parentElement));
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: element, data } = walker.currentNode;
    const { color, fontSize } = getComputedStyle(element);
    if (!data.trim() || element.closest(PASSED) || fontSize === "0px") continue;
    if (!element.checkVisibility() || !element.getClientRects().length) continue;
    let clear = 1;
    for (let one = element; one; one = one.parentElement) clear *= getComputedStyle(one).opacity;
    const ground = groundOf(element), ink = rgba(color);
    ink[3] *= clear;
    found.push([data.trim().slice(0, 40), over(ink, ground), ground]);
  }
  return found;
}"""
SCALE = """async () => {
  const { colour, inkOn } = await import("/static/app/colour.js");
  const rgb = (text) => text.match(/\\d+/g).map(Number);
  return Array.from({ length: 41 }, (_, at) => (at - 20) / 20).map((share) => [
    share, rgb(colour(share, 1)), inkOn(share, 1) === "#fff" ? [255, 255, 255] : [0, 0, 0],
  ]);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_read_on_every_tab(quiet: Page, served: Served, theme: Any) -> None:
    quiet.emulate_media(color_scheme=theme)
    asked = Requests(quiet)
    opened(quiet, served, "lenet", "&sample=8&unit=3.4.6.conv2d_1&with=tutorial")
    poor = set()
    for tab in TABS:
        quiet.click(f"#tab-{tab}")
        asked.settle()
        texts = quiet.evaluate(TEXTS)
        assert len(texts) > 50
        poor |= {
            (tab, text, round(contrast(ink, ground), 2))
            for text, ink, ground in texts
            if contrast(ink, ground) < READ - 0.01  # colours are rounded
        }
    assert not poor


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_signs_are_told_apart_and_numbers_in_cells_are_read(
    quiet: Page, served: Served, theme: Any
) -> None:
    quiet.emulate_media(color_scheme=theme)
    opened(quiet, served, "lenet")
    scale = quiet.evaluate(SCALE)
    for share, ground, ink in scale:
        assert contrast(ink, ground) >= READ, (share, ground, ink)
    colours = {round(20 * share): ground for share, ground, _ in scale}
    for vision in VISION:
        for share in range(10, 21):  # half as strong as the strongest, and above
            assert distance(colours[share], colours[-share], vision) >= APART, (vision, share)
        for sign in (1, -1):
            steps = [distance(colours[0], colours[sign * one], vision) for one in range(21)]
            assert steps == sorted(steps), (vision, sign)
