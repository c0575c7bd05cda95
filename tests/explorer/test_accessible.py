"""Every tab passes the accessibility rules of axe, which Lighthouse checks too."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from explored import Served
from playwright.sync_api import Page
from seen import TABS, Requests, opened

pytestmark = pytest.mark.browser


def broken(page: Page) -> set[tuple[str, str]]:
    """Return the rules that are broken, and where."""
    found = Axe().run(page).response["violations"]
    return {(rule["id"], str(node["target"])) for rule in found for node in rule["nodes"]}


@pytest.mark.parametrize("width", [1280, 390])
def test_every_tab_is_accessible(quiet: Page, served: Served, width: Any) -> None:
    quiet.set_viewport_size({"width": width, "height": 860})
    asked = Requests(quiet)
    opened(quiet, served, "lenet", "&sample=8&unit=3.4.6.conv2d_1&with=tutorial")
    for tab in TABS:
        quiet.click(f"#tab-{tab}")
        asked.settle()
        assert broken(quiet) == set(), tab


def test_a_broken_rule_is_seen(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet")
    quiet.evaluate("document.querySelector('main button').replaceChildren()")
    assert any(rule == "button-name" for rule, _ in broken(quiet))
