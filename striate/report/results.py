"""Sections about what a model does: its results, its mistakes, its inside, its use, its rival."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..store.report import per_class, wilson
from .charts import reliability
from .evidence import Evidence
from .markup import (
    code,
    facts,
    figure,
    folded,
    grid,
    heading,
    image,
    percent,
    section,
    soft,
    table,
    text,
)  # fmt: skip
from .pictures import overlay, picture, signed, strip

WORST = 32
IN_CELL = 12  # images of a cell of the matrix
IN_ALL = 600  # images of all cells, of the size of digits
CHANNELS = 12  # maps of a layer
FORMS = {"test_accuracy": "{:.4f}", "test_loss": "{:.4f}", "epochs": "{}", "seconds": "{:.0f}"}


def results(run: Evidence) -> str:
    """Return accuracy, classes, confusion matrix, calibration, and the images that cost most."""
    if not run.tested:
        return ""
    return section(
        "results", "Results", *_matrix(run), _pair(_confused(run), _calibration(run)),
        _worst(run), _confident(run), _suspects(run),
    )  # fmt: skip


def _pair(*parts: str) -> str:
    """Return parts beside each other where there is room."""
    shown = "".join(f"<div>{part}</div>\n" for part in parts if part)
    return f'<div class="two">\n{shown}</div>\n' if shown else ""


def _classes(run: Evidence) -> str:
    total, correct = int(run.matrix.sum()), int(np.trace(run.matrix))
    low, high = wilson(correct, total)
    recalls = [row[i] / max(row.sum(), 1) for i, row in enumerate(run.matrix)]
    rows = facts(
        [
            ("accuracy", f"{percent(correct / max(total, 1))}, {correct:,} of {total:,}"),
            ("95 % interval", f"{100 * low:.2f} to {100 * high:.2f} %"),
            ("mean recall of classes", percent(float(np.mean(recalls)))),
        ]
    )
    head = ["class", "precision", "recall", "F1", "images"]
    listed = table(head, per_class(run.matrix, run.classes))
    shown = folded(f"{len(recalls)} classes", listed) if len(recalls) > 20 else listed
    return heading("Class by class") + rows + shown


def _matrix(run: Evidence) -> tuple[str, str]:
    """Return the counts beside the classes; a mistake is the darker, the more there are.

    The second part has the images, which a number opens.
    """
    wrong = run.matrix - np.diag(np.diag(run.matrix))
    worst = max(int(wrong.max()), 1)
    galleries = _galleries(run)
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in run.classes)
    rows = ""
    for true, name in enumerate(run.classes):
        cells = "".join(
            _cell(int(count), 0.1 + 0.55 * count / worst, true, said, galleries)
            for said, count in enumerate(run.matrix[true])
        )
        rows += f'<tr><th scope="row">{text(name)}</th>{cells}</tr>\n'
    note = "Rows: what the image is. Columns: what the network says."
    note += " A number opens its images below." if galleries else ""
    counts = heading("What is taken for what", note) + (
        f'<div class="wide"><table class="matrix">\n<thead><tr><td></td>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
    few = len(run.classes) <= 20
    both = _pair(counts, _classes(run)) if few else counts + _classes(run)
    return both, "".join(galleries.values())


def _cell(count: int, ink: float, true: int, said: int, galleries: dict[Any, str]) -> str:
    if true == said or not count:
        return f'<td class="right"><span>{f"{count:,}" if count else ""}</span></td>'
    style = f'style="background:rgb(var(--blue) / {ink:.2f})"'
    if (true, said) not in galleries:
        return f"<td><span {style}>{count}</span></td>"
    return f'<td><a href="#cell-{true}-{said}" {style}>{count}</a></td>'


def _galleries(run: Evidence) -> dict[tuple[int, int], str]:
    """Return the images of each cell with mistakes, the most frequent mistakes first."""
    if run.mistakes is None or run.pictures is None:
        return {}
    side = max(run.pictures.shape[1:3])
    left = IN_ALL if side <= 32 else IN_ALL // 5
    found = {}
    for true, said, count in run.mistakes.confused(len(run.classes) ** 2):
        chosen = run.mistakes.cell(true, said)[: min(IN_CELL, left)]
        if not len(chosen):
            break
        left -= len(chosen)
        names = f"{run.classes[true]}, read as {run.classes[said]}"
        told = f"{len(chosen)} of {count}, the worst first" if len(chosen) < count else ""
        figures = [figure(*_shown(run, at)) for at in chosen.tolist()]
        content = heading(names, told) + grid(figures)
        found[true, said] = f'<div class="cell" id="cell-{true}-{said}">{content}</div>\n'
    return found


def _shown(run: Evidence, sample: int, heat: Any = None) -> tuple[str, ...]:
    """Return the pictures of a test sample, and the lines below them."""
    assert run.mistakes is not None
    assert run.pictures is not None
    true, said = int(run.mistakes.labels[sample]), int(run.mistakes.said[sample])
    cells, name = run.pictures[sample], run.classes[true]
    pictures = image(picture(cells), name)
    if heat is not None:
        pictures += image(overlay(cells, heat), f"what speaks for {run.classes[said]}")
        pictures = f'<div class="both">{pictures}</div>'
    sure = run.mistakes.probabilities[sample, said]
    line = f"{name}, read as {run.classes[said]}" if true != said else f"{name}, right"
    return pictures, line, f"{100 * sure:.0f} % sure", f"image {sample:,}"


def _confused(run: Evidence) -> str:
    if run.mistakes is None:
        return ""
    rows = [
        [run.classes[a], run.classes[b], f"{n:,}", percent(n / max(run.matrix[a].sum(), 1))]
        for a, b, n in run.mistakes.confused(8)
    ]
    if not rows:
        return ""
    head = ["class", "read as", "times", "of this class"]
    return heading("Most frequent mistakes") + table(head, rows)


def _calibration(run: Evidence) -> str:
    if run.mistakes is None:
        return ""
    found = run.mistakes.calibration()
    values = (found.confidence.tolist(), found.accuracy.tolist(), found.count.tolist())
    chart = reliability(*values, "against confidence; bars: how many images")
    sure = float(run.mistakes.probabilities.max(1).mean())
    way = "right more often than it is sure" if sure < run.mistakes.accuracy else "surer than right"
    note = (
        f"Confidence and accuracy are {percent(found.error)} apart on average (the expected "
        f"calibration error over {len(found.count)} bins): it is {way}. On the line both are equal."
    )
    return heading("How sure, how right", note) + f'<div class="charts">{chart}</div>\n'


def _worst(run: Evidence) -> str:
    if run.mistakes is None or run.pictures is None:
        return ""
    chosen = run.mistakes.worst(WORST).tolist()
    heats = run.heats(chosen)
    figures = [figure(*_shown(run, at, heats.get(at))) for at in chosen]
    note = f"The {len(chosen)} images whose own class got the least probability."
    if run.maps_layer:
        note += (
            f" Beside each, Grad-CAM of {run.maps_layer}: what speaks for the class that was said."
        )
    return heading("Worst losses", note) + grid(figures, "pairs")


def _confident(run: Evidence) -> str:
    if run.mistakes is None or run.pictures is None:
        return ""
    chosen = run.mistakes.confident(16).tolist()
    figures = [figure(*_shown(run, at)) for at in chosen]
    note = "Mistakes of which the network was surest."
    return (
        folded(f"Most confident mistakes ({len(chosen)})", soft(note) + grid(figures))
        if chosen
        else ""
    )


def _suspects(run: Evidence) -> str:
    if run.mistakes is None or run.pictures is None:
        return ""
    chosen = run.mistakes.suspects(16).tolist()
    if not chosen:
        return ""
    figures = [figure(*_shown(run, at)) for at in chosen]
    note = (
        "The network is as sure of another class as it is of that class's own images: "
        "look whether these labels are right."
    )
    return folded(f"Labels that may be wrong ({len(chosen)})", soft(note) + grid(figures))


def inside(run: Evidence) -> str:
    """Return the first kernels before and after training, and the maps of two images."""
    content = [_kernels(run), *_two_images(run)]
    return section("inside", "Inside", *content) if any(content) else ""


def _kernels(run: Evidence) -> str:
    if run.kernels is None:
        return ""
    layer, now, before = run.kernels
    if now.ndim != 4:
        return ""
    parts = [("after training", now)]
    if before is not None:
        parts.insert(0, ("before training", before))
    peak = float(max(np.nan_to_num(np.abs(one.sum(-2))).max() for _, one in parts)) or 1.0
    columns = []
    for name, values in parts:
        flat = values.sum(-2)
        drawn = [
            image(signed(flat[..., n], peak), f"kernel {n}") for n in range(min(64, flat.shape[-1]))
        ]
        columns.append(f'<div><p class="soft">{name}</p>{grid(drawn, "kernels")}</div>')
    height, width, channels, filters = now.shape
    note = (
        f"The {filters} kernels of {layer}, {height} x {width}"
        + (f", summed over {channels} channels" if channels > 1 else "")
        + ": red adds, blue takes away."
    )
    return heading("First kernels", note) + f'<div class="two">{"".join(columns)}</div>\n'


def _two_images(run: Evidence) -> list[str]:
    """Return the maps of one image that is right and one that is wrong."""
    if run.mistakes is None or run.pictures is None:
        return []
    right = np.flatnonzero(run.mistakes.labels == run.mistakes.said)[:1]
    wrong = run.mistakes.worst(1) if len(run.mistakes.wrong) else run.mistakes.wrong
    found = []
    for name, chosen in (("An image that is right", right), ("The worst mistake", wrong)):
        for sample in chosen.tolist():
            shown = _maps(run, sample)
            if shown:
                found.append(_one_image(run, name, sample, shown))
    return found


def _one_image(run: Evidence, name: str, sample: int, maps: Sequence[str]) -> str:
    pictures, *lines = _shown(run, sample, run.heats([sample]).get(sample))
    note = f"{', '.join(lines)}. Of each layer, the {CHANNELS} strongest maps, on one scale."
    first = f'<div style="max-width:12rem">{pictures}</div>'
    return heading(name, note) + f'{first}<div class="maps">{"".join(maps)}</div>\n'


def _maps(run: Evidence, sample: int) -> list[str]:
    found = run.maps(sample)
    shown, before = [], None
    for one in found.maps if found is not None else ():
        if one.values.ndim != 3 or max(one.values.shape[:2]) < 2:
            continue
        if before is not None and np.array_equal(before, one.values):
            continue  # dropout and augmentation leave an image as it is
        before = one.values
        order = np.argsort(-np.abs(one.values).mean((0, 1)), kind="stable")[:CHANNELS]
        drawn = strip([one.values[..., n] for n in order])
        size = " x ".join(map(str, one.values.shape))
        shown.append(figure(image(drawn, f"maps of {one.layer}", "strip"), one.layer, size))
    return shown


def use(run: Evidence) -> str:
    """Return lines that use the run, what it expects, and where its results do not hold."""
    if run.model is None:
        return ""
    place = shlex.quote(str(run.results.get("run", f"runs/{run.name}")))
    lines = [
        f"striate predict {place} image.png",
        f"striate explain {place} image.png",
        f"striate evaluate {place}",
        f"striate explore {place}",
    ]
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
    where = str(run.results.get("run", f"runs/{run.name}"))
    python = f'import striate as st\n\nmodel = st.load({where!r})\nmodel.predict("image.png")'
    return section("use", "Use it", code("\n".join(lines)), code(python), facts(rows))


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
            rows.append([key.replace("_", " "), *told])
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
