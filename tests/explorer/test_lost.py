"""A network whose training went wrong: its weights are no numbers, and the page says so."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from explored import Served, keep, lenet
from playwright.sync_api import Page, expect
from seen import TABS, opened

import striate as st
from striate.explorer.answer import answer
from striate.explorer.trace import LOST, trace


def lost() -> st.Model:
    """A LeNet in whose second convolution one of the weights is no number."""
    model = lenet()
    with torch.no_grad():
        model.get_layer("conv2d_1").kernel[0, 0, 0, 3] = math.nan
    return model


def test_a_trace_says_which_values_are_no_numbers():
    data = trace(lost(), np.full((28, 28, 1), 200, np.uint8), {}, by_activity=False)
    size = int.from_bytes(data[:4], "little")
    columns = json.loads(data[4 : 4 + size], parse_constant=pytest.fail)["columns"]
    before, after = columns[2], columns[4]
    assert before["lost"] == 0 and after["lost"] == 10 * 10
    assert after["least"] == 0 < after["most"]  # those of the other maps
    start = 4 + size + after["offset"]
    levels = np.frombuffer(data[start : start + 16 * 100], np.int8).reshape(16, 100)
    assert (levels[3] == LOST).all() and (np.delete(levels, 3, 0) != LOST).all()
    assert answer(lost(), np.zeros((28, 28, 1), np.uint8))["lost"] is True
    assert answer(lenet(), np.zeros((28, 28, 1), np.uint8))["lost"] is False


@pytest.mark.browser
def test_every_tab_of_a_network_that_is_lost(quiet: Page, tmp_path: Path) -> None:
    keep(tmp_path, "lost", lost())
    served = Served(tmp_path)
    try:
        opened(quiet, served, "lost")
        expect(quiet.locator(".reads")).to_contain_text("its outputs are no numbers")
        expect(quiet.locator(".range.lost").first).to_have_text("no numbers: 100 of 1,600")
        quiet.locator(".column.convolution canvas").nth(1).click(position={"x": 9, "y": 9})
        expect(quiet.locator("#unit-total")).to_be_visible()
        for tab in TABS:
            quiet.click(f"#tab-{tab}")
            quiet.wait_for_load_state("networkidle")
            expect(quiet.locator(".tab-body")).not_to_be_empty()
            if tab == "mistakes":
                expect(quiet.locator(".note")).to_contain_text("outputs that are no numbers")
        assert quiet.locator(".message").all_inner_texts() == []
    finally:
        served.close()
