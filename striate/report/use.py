"""Sections that lead on: lines that use the run, and what differs from the run before."""

from __future__ import annotations

import shlex
from typing import Any

from ..errors import StoreError
from ..store.keras_description import describe
from ..store.report import wilson
from .evidence import Evidence
from .markup import code, facts, section, soft, table

FORMS = {
    "test_accuracy": "{:.4f}", "test_loss": "{:.4f}", "validation_accuracy": "{:.4f}",
    "epochs": "{}", "seconds": "{:.0f}",
}  # fmt: skip
DONE = {"epochs": "epochs trained"}  # beside those that were asked for


def use(run: Evidence) -> str:
    """Return lines that use the run, what it expects, and where its results do not hold."""
    if run.table is None:  # no model, or one whose input is not known
        return ""
    where = str(run.results.get("run") or run.place)
    place = shlex.quote(where)
    lines = [f"striate {verb} {place} image.png" for verb in ("predict", "explain")]
    lines.append(f"striate explore {place}")
    if run.results.get("recipe"):
        lines.append(f"striate evaluate {place}")
    if _keras_has(run.model):
        lines.append(f"striate convert {place} model.keras")
    spec = run.first_spec
    rows = [("takes", f"samples {spec} of {spec.dtype}, {spec.data_format.replace('_', ' ')}")]
    if run.classes:
        rows.append(("gives", f"{len(run.classes)} classes: {', '.join(run.classes[:20])}"))
    rows.append(
        (
            "holds for",
            "images like those it was trained on: of the same scale, ground and framing. The "
            "results above say nothing about others, nor about classes that it does not know.",
        )
    )
    python = f'import striate as st\n\nmodel = st.load({where!r})\nmodel.predict("image.png")'
    return section("use", "Use it", code("\n".join(lines)), code(python), facts(rows))


def _keras_has(model: Any) -> bool:
    """Return whether the model is one of Keras's too, for programs that read its files."""
    try:
        describe(model)
    except StoreError:
        return False
    return True


def compared(run: Evidence) -> str:
    """Return what differs from the run of the same name before it."""
    if run.previous is None:
        return ""
    name, before, config = run.previous
    rows = []
    old, new = config.get("settings", {}), run.config.get("settings", {})
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            rows.append([key, old.get(key, ""), new.get(key, "")])
    for key, form in FORMS.items():
        pair = [one.get(key) for one in (before, run.results)]
        if pair != [None, None]:
            told = ("" if value is None else form.format(value) for value in pair)
            rows.append([DONE.get(key, key.replace("_", " ")), *told])
    change = _difference(before, run.results)
    return section(
        "compared",
        f"Compared with {name}",
        soft(change),
        table(["", name, run.name], rows, "words"),
    )


def _difference(before: Any, now: Any) -> str:
    """Say whether the difference of two accuracies is more than chance."""
    old, new = before.get("test_accuracy"), now.get("test_accuracy")
    if old is None or new is None:
        return "One of the two was not tested."
    low, high = wilson(int(before.get("test_correct", 0)), int(before.get("test_total", 0)))
    change = f"{100 * (new - old):+.2f} percentage points"
    if low <= new <= high:
        return f"{change}: within the 95 % interval of the run before, so it may be chance."
    return f"{change}: outside the 95 % interval of the run before."
