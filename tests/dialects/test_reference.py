"""The page of the dialects is what the tables say."""

from __future__ import annotations

from pathlib import Path

from striate.dialects.reference import page


def test_the_page_is_current() -> None:
    path = Path(__file__).parents[2] / "docs" / "dialects.md"
    assert path.read_text(encoding="utf-8") == page(), (
        "python -m striate.dialects.reference > docs/dialects.md"
    )
