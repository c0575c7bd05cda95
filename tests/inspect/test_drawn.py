"""A batch, the curves of a training, and a network as a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

import striate as st
from striate import layers as L
from striate.inspect import plot_history, plot_model, show_batch


@pytest.mark.parametrize(
    ("shape", "want"),
    [((20, 5, 5), (16, 5, 5, 1)), ((3, 5, 5, 3), (3, 5, 5, 3)), ((2, 1, 5, 5), (2, 5, 5, 1))],
)
def test_a_batch_is_shown_with_the_names_of_its_classes(shape, want):
    found = show_batch(np.zeros(shape), np.arange(shape[0]), [f"<{n}>" for n in range(20)])
    assert found.images.shape == want and found.captions[1] == "<1>"
    assert found._repr_png_().startswith(b"\x89PNG")


def test_one_hot_labels_are_named_too():
    assert show_batch(np.zeros((2, 4, 4, 1)), np.eye(3)[[2, 0]], "abc").captions == ("c", "a")
    assert show_batch(np.zeros((2, 4, 4, 1)), [3, 1]).captions == ("3", "1")


def test_curves_come_from_a_history_or_from_rows():
    rows = [
        {"epoch": 1, "loss": 2.0, "val_loss": 1.0, "seconds": 3.0},
        {"epoch": 2, "loss": 1.0, "val_loss": 1.5},
    ]
    found = plot_history(rows)
    assert found.values == {"loss": (2.0, 1.0), "val_loss": (1.0, 1.5)} and found.best == 1
    assert found._repr_png_().startswith(b"\x89PNG")
    assert plot_history({"loss": [1.0]}).best is None


def residual():
    x = h = L.Input((8, 8, 3))
    for number in range(2):
        inside = L.Conv2D(3, 3, padding="same", name=f"a{number}")(h)
        inside = L.Conv2D(3, 3, padding="same", name=f"b{number}")(inside)
        h = L.Add(name=f"add{number}")([h, inside])
    return st.Model(x, L.Dense(2, name="<script>")(L.Flatten()(h)))


def test_branches_lie_beside_each_other():
    found = plot_model(residual())
    at = {box.name: n for n, box in enumerate(found.boxes)}
    edges = {(edge.start, edge.end): edge.columns for edge in found.edges}
    assert edges[at["a0"], at["b0"]] == ()
    assert edges[at["add0"], at["add1"]] == (1, 1)  # beside the two convolutions
    assert [box.row for box in found.boxes] == list(range(9))
    assert {box.column for box in found.boxes} == {0}
    cells = [(box.row, box.column) for box in found.boxes]
    for edge in found.edges:
        row = found.boxes[edge.start].row
        cells += [(row + n, column) for n, column in enumerate(edge.columns, start=1)]
    assert len(set(cells)) == len(cells)  # nothing lies on anything


def test_the_picture_is_svg_with_every_text_escaped(tmp_path):
    found = plot_model(residual())
    root = ET.fromstring(found.save(tmp_path / "net.svg").read_text())
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "<script>" in texts and "Conv2D (8, 8, 3)" in texts
    assert found.svg() == plot_model(residual()).svg()
    assert found.save(tmp_path / "net.png").read_bytes().startswith(b"\x89PNG")
    assert found._repr_svg_().startswith("<svg")
