"""Markup: the few pieces of HTML that the report is made of; every text is escaped here."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def text(value: Any) -> str:
    """Return a value as text that a browser shows and never reads as markup."""
    return escape(
        re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", str(value))
    )


def section(name: str, title: str, *content: str) -> str:
    """Return a part of the report, which its table of contents can jump to."""
    inner = "\n".join(part for part in content if part)
    return f'<section id="{name}">\n<h2>{text(title)}</h2>\n{inner}\n</section>'


def heading(title: str, note: str = "") -> str:
    """Return the heading of a part of a section, with a note below it."""
    return f"<h3>{text(title)}</h3>\n" + (soft(note) if note else "")


def soft(note: str) -> str:
    """Return a line in a quiet colour."""
    return f'<p class="soft">{text(note)}</p>\n'


def table(
    head: Sequence[Any], rows: Iterable[Sequence[Any]], kind: str = "numbers", ready: bool = False
) -> str:
    """Return a table; `ready` cells are markup already."""
    told = str if ready else text
    top = "".join(f'<th scope="col">{text(item)}</th>' for item in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{told(cell)}</td>" for cell in row) + "</tr>\n" for row in rows
    )
    shown = f"<thead><tr>{top}</tr></thead>\n" if any(map(str, head)) else ""
    return (
        f'<div class="wide"><table class="{kind}">\n{shown}<tbody>\n{body}</tbody>\n</table></div>'
    )


def facts(rows: Iterable[tuple[Any, Any]]) -> str:
    """Return names with their values."""
    items = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>\n" for name, value in rows)
    return f'<dl class="facts">\n{items}</dl>\n' if items else ""


def folded(title: str, content: str) -> str:
    """Return content that opens at a click."""
    return f"<details>\n<summary>{text(title)}</summary>\n{content}\n</details>\n"


def code(lines: str) -> str:
    """Return lines to be copied."""
    return f"<pre>{text(lines)}</pre>\n"


def image(png: bytes, described: str, kind: str = "") -> str:
    """Return a picture that is inside the page."""
    named = f' class="{kind}"' if kind else ""
    data = base64.b64encode(png).decode()
    return f'<img{named} alt="{text(described)}" src="data:image/png;base64,{data}">'


def figure(pictures: str, *caption: str) -> str:
    """Return pictures with a caption of several lines."""
    lines = "<br>".join(text(line) for line in caption if line)
    return f"<figure>{pictures}<figcaption>{lines}</figcaption></figure>\n"


def grid(figures: Iterable[str], kind: str = "grid") -> str:
    """Return figures beside each other."""
    return f'<div class="{kind}">\n{"".join(figures)}</div>\n'


def percent(share: float, digits: int = 2) -> str:
    """Return a share as per cent."""
    return f"{100 * share:.{digits}f} %"


def words(value: Any) -> str:
    """Return a text on one line."""
    return " ".join(str(value).split())


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 image, 2 images."""
    return f"{number:,} {noun}{'s'[: number != 1]}"
