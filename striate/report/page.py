"""The report of a run as one HTML file: no script, no network, every text escaped."""

from __future__ import annotations

from .evidence import Evidence
from .inside import inside
from .markup import text
from .results import results
from .style import STYLE
from .training import data_card, model_card, reproduce, training
from .use import compared, use
from .verdict import opening

SECTIONS = (results, training, model_card, inside, data_card, compared, use, reproduce)
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def page(run: Evidence) -> str:
    """Return the report of a run, the same bytes for the same run."""
    parts = [part for part in (make(run) for make in SECTIONS) if part]
    title = text(run.name)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n{opening(run)}{_contents(parts)}" + "\n".join(parts) + "\n"
        "<footer>One file, no network: it can be mailed and kept.</footer>\n"
        "</main>\n</body>\n</html>\n"
    )


def _contents(parts: list[str]) -> str:
    """Return links to the sections, by the name and the title that each begins with."""
    links = []
    for part in parts:
        name = part.split('id="', 1)[1].split('"', 1)[0]
        title = part.split("<h2>", 1)[1].split("</h2>", 1)[0]
        links.append(f'<a href="#{name}">{title}</a>\n')
    return f'<nav aria-label="sections">\n{"".join(links)}</nav>\n' if len(links) > 1 else ""
