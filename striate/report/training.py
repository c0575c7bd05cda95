"""Sections about how a model came about: how to do it again, its data, its layers, its training."""

from __future__ import annotations

import hashlib
import shlex

import numpy as np

from ..inspect import plot_model
from ..inspect.summary import Row
from ..store import model_file
from .charts import bars, curves, rates, scatter
from .evidence import Evidence, fingerprint, same_samples
from .markup import (
    code,
    counted,
    facts,
    figure,
    folded,
    grid,
    heading,
    image,
    section,
    soft,
    table,
    text,
    words,
)  # fmt: skip
from .pictures import as_bytes, picture

APART = ("epoch", "seconds")
SCALING = ("Rescaling", "Normalization")
SIZES = 20  # of a folder's images, that are named
ROWS = 3  # of samples, one sample of each class in a row
SHOWN = 60  # boxes of a diagram that are shown without a click
MOST_CHANGES = 20_000  # characters of a difference that the page has


def reproduce(run: Evidence) -> str:
    """Return the command and all that the result depends on."""
    command = words(run.results.get("command", _script(run)))
    settings = run.config.get("settings", {})
    rows = [*((key, value) for key, value in settings.items()), *run.environment.items()]
    for name, x, y in run.data.parts():
        rows.append((f"{name} data, SHA-256", f"{fingerprint(x)} {fingerprint(y)[:16]}"))
    if run.model is not None:
        weights = run.asked(lambda: model_file.contents(run.model)["weights.safetensors"])
        if weights is not None:
            rows.append(("weights, SHA-256", hashlib.sha256(weights).hexdigest()))
    content = (code(command) if command else "") + folded("settings, machine, hashes", facts(rows))
    if run.changes:
        shown, more = run.changes[:MOST_CHANGES], len(run.changes) - MOST_CHANGES
        rest = f"\n... {more:,} characters more in changes.diff" if more > 0 else ""
        content += folded("what differed from the commit", code(shown + rest))
    return section("again", "Again", content) if command or rows else ""


def _script(run: Evidence) -> str:
    """Return the command that ran a script of an older framework."""
    if "script" not in run.config:
        return ""
    return shlex.join(["striate", "run", run.config["script"], *run.config.get("arguments", [])])


def data_card(run: Evidence) -> str:
    """Return what the data are: classes, samples, sizes, split, duplicates."""
    parts = run.data.parts()
    if not parts:
        return ""
    count = len(run.classes)
    head = ["class", *(name for name, _, _ in parts)]
    bins = [np.bincount(y, minlength=count)[:count] for _, _, y in parts]
    rows = [[run.classes[n], *(f"{one[n]:,}" for one in bins)] for n in range(count)]
    rows.append(["all", *(f"{len(x):,}" for _, x, _ in parts)])
    balance = bars(
        f"images of each class, {parts[0][0]}",
        list(zip(run.classes, bins[0].tolist(), strict=True)),
    )
    listed = table(head, rows)
    if count > 20:
        listed = folded(f"{count} classes", listed)
    grids = f'<div class="two">\n<div>{balance}</div>\n<div>{listed}</div>\n</div>\n'
    return section("data", "Data", facts(_about(run)), grids, _samples(run), _folder(run))


def _about(run: Evidence) -> list[tuple[str, str]]:
    parts = run.data.parts()
    _, x, _ = parts[0]
    first = np.asarray(x[:2000], dtype=float)
    rows = [
        ("a sample", f"{np.shape(x)[1:]} of {np.asarray(x[:1]).dtype}"),
        (
            "values",
            f"{first.min():.4g} to {first.max():.4g}, mean {first.mean():.4g}, "
            f"spread {first.std():.4g}",
        ),
        ("split", ", ".join(_amount(run, name, len(x)) for name, x, _ in parts)),
    ]
    scaled = [row for row in (run.table.rows if run.table else ()) if row.type in SCALING]
    if scaled:
        rows.append(("scaled by", ", ".join(f"{row.name} ({row.type})" for row in scaled)))
    for name, other, _ in parts[1:]:
        same = same_samples(x, other)
        told = f"{same:,} of {len(other):,} are training images too" if same else "none in training"
        rows.append((f"{name} duplicates", told))
    return rows


def _folder(run: Evidence) -> str:
    """Return what was found in the folder of images: sizes, files left out, equal files."""
    found = run.folder
    if not found:
        return ""
    sizes = found["sizes"]
    height, width = found["image_size"]
    brought = f"{counted(found['resized'], 'image')} brought to {height} x {width}"
    note = f"{words(found['folder'])}: {brought}." if found["resized"] else words(found["folder"])
    noted = "".join(f"<li>{text(one)}</li>\n" for one in found["notes"])
    content = heading("The folder", note)
    content += f'<ul class="alarms">\n{noted}</ul>\n' if noted else ""
    content += grid([scatter(sizes)], "charts") if len(sizes) > 1 else ""
    content += folded(
        counted(found["sizes_total"], "size"),
        table(
            ["height x width", "images"], [[f"{h} x {w}", f"{n:,}"] for h, w, n in sizes[:SIZES]]
        ),
    )
    if found["skipped"]:
        content += folded(
            counted(found["skipped_total"], "file") + " left out",
            table(["file", "why"], found["skipped"], "files"),
        )
    if found["duplicates"]:
        content += folded(
            counted(found["duplicates_total"], "file") + " there again",
            table(
                ["file", "equal to it"],
                [[a, ", ".join(more)] for a, *more in found["duplicates"]],
                "files",
            ),
        )
    return content


def _amount(run: Evidence, name: str, there: int) -> str:
    """Return how many samples a part has, and of how many these are the ones at hand."""
    given = run.results.get("samples", {}).get(name, there)
    return f"{there:,} {name}" if there == given else f"{there:,} of {given:,} {name}"


def _samples(run: Evidence) -> str:
    """Return samples of each class, those that come first."""
    name, x, y = run.data.parts()[0]
    classes = len(run.classes)
    places = [np.flatnonzero(y[:20_000] == n)[:ROWS] for n in range(min(classes, 20))]
    chosen = [int(one[row]) for row in range(ROWS) for one in places if len(one) > row]
    shown = as_bytes(np.asarray(x[chosen]), run.turned) if chosen else None
    if shown is None:
        return ""
    figures = [
        figure(image(picture(cells), run.classes[y[at]]), run.classes[y[at]])
        for cells, at in zip(shown, chosen, strict=True)
    ]
    columns = min(len(run.classes), 20)
    style = f' style="grid-template-columns:repeat({columns},minmax(0,4rem))"' * (columns <= 12)
    note = heading("Samples", f"The first of each class, {name}.")
    return f'{note}<div class="samples"{style}>\n{"".join(figures)}</div>\n'


def model_card(run: Evidence) -> str:
    """Return the network as a picture, and as a table with the arithmetic of every size."""
    if run.table is None:
        return ""
    diagram = run.asked(lambda: plot_model(run.model))
    drawn = diagram.svg("") if diagram is not None else ""
    if diagram is not None and len(diagram.boxes) > SHOWN:
        drawn = folded(f"diagram of {len(diagram.boxes)} layers", drawn)
    head = ["layer", "output", "parameters", "multiply-adds", "sees"]
    listed = table(head, [_row(row) for row in run.table.rows], "layers", ready=True)
    total = (
        f"{counted(run.table.parameters, 'parameter')}, {run.table.trainable:,} of them trained, "
        f"{run.table.bytes / 1024:,.0f} KiB; {run.table.macs or 0:,} multiply-adds for one sample. "
        "'Sees' is the side of what a unit sees of the input, and the step to the next unit's."
    )
    return section(
        "model", "Model", soft(total),
        f'<div class="model"><div class="drawn">{drawn}</div>{listed}</div>',
    )  # fmt: skip


def _row(row: Row) -> list[str]:
    sizes = "".join(f"<small>{text(one)}</small>" for one in row.arithmetic)
    counts = f"<small>{text(row.parameter_arithmetic)}</small>" if row.parameter_arithmetic else ""
    indent = "\u2003" * row.depth
    return [
        f"{indent}{text(row.name)}<small>{indent}{text(row.type)}</small>",
        text(row.output) + sizes,
        ("shared" if row.shared else f"{row.parameters:,}" if row.parameters else "") + counts,
        "?" if row.macs is None else f"{row.macs:,}" if row.macs else "",
        text(f"{row.field} / {row.step}" if row.step else row.field),
    ]


def training(run: Evidence) -> str:
    """Return the curves of the training, every epoch, and the health of the layers."""
    if not run.history:
        return ""
    names = dict.fromkeys(key.removeprefix("val_") for row in run.history for key in row)
    charts = [curves(name, run.history, run.best, run.steps) for name in names if name not in APART]
    charts.append(curves("images a second", (), steps=_paces(run)))
    charts.append(_rates(run))
    columns = list(dict.fromkeys(name for row in run.history for name in row))
    rows = [
        [f"{value:.4f}" if isinstance(value, float) else value for value in values]
        for values in ([row.get(name, "") for name in columns] for row in run.history)
    ]
    return section(
        "training", "Training", soft(_pace(run)) if _pace(run) else "",
        grid(filter(None, charts), "charts"), _spent(run),
        folded("every epoch", table(columns, rows)), _health(run),
    )  # fmt: skip


def _paces(run: Evidence) -> list[dict[str, float]]:
    """Return how many images a second were trained on, between the ends of the epochs."""
    return [{"at": one["at"], "images a second": one["images_s"]} for one in run.steps]


def _pace(run: Evidence) -> str:
    """Return how long epochs took, and how many images a second were trained and validated on."""
    seconds = [row["seconds"] for row in run.history if row.get("seconds")]
    parts = run.data.parts()
    if not seconds or not parts:
        return ""
    mean = sum(seconds) / len(seconds)
    images = sum(len(x) for name, x, _ in parts if name != "test")
    return (
        f"An epoch took {mean:.3g} s on average, validation included: {images / mean:,.0f} images "
        "a second."
    )


def _rates(run: Evidence) -> str:
    """Return the range test of learning rates, where one was made."""
    found = run.range_test
    return rates(found["lr"], found["loss"], found["suggestion"]) if found else ""


PARTS = {
    "data": "waiting for batches",
    "steps": "steps",
    "validation": "validation",
    "hooks": "hooks and files",
}


def _spent(run: Evidence) -> str:
    """Return where the time of the training went."""
    spent = run.results.get("spent")
    if not isinstance(spent, dict) or not sum(spent.values()):
        return ""
    total = sum(spent.values())
    rows = [
        [text(name), _bar(spent[key] / total, False) + f"{spent[key] / total:.1%}",
         f"{spent[key]:.2f} s"]
        for key, name in PARTS.items() if key in spent
    ]  # fmt: skip
    return heading("Where the time went") + table(["", "share", "time"], rows, ready=True)


def _health(run: Evidence) -> str:
    if run.health is None:
        return ""
    rows = [
        [
            text(one.layer),
            _bar(len(one.dead) / max(one.units, 1)) + f"{len(one.dead)} of {one.units:,}",
            f"{one.zeros:.0%}",
            f"{one.mean:.3g}",
            f"{one.spread:.3g}",
            "" if one.gradient is None else f"{one.gradient:.2g}",
        ]
        for one in run.health.layers
    ]
    head = ["layer", "dead units", "zeros", "mean", "spread", "gradient / weights"]
    note = f"Outputs of each layer over {run.health.samples} samples after training."
    shown = table(head, rows, ready=True)
    if len(rows) > 12 and not run.health.notes:
        return folded(f"health of {len(rows)} layers", soft(note) + shown)
    return heading("Health of the layers", note) + shown


def _bar(share: float, alarming: bool = True) -> str:
    if not share:
        return ""
    kind = "bar bad" if alarming and share > 0.5 else "bar"
    return f'<span class="{kind}"><i style="width:{100 * share:.0f}%"></i></span>'
