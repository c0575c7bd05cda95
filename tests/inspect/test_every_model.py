"""Every question has an answer for every kind of model: of old scripts, and of torch modules."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from explored import Visitor, encoded
from torch import nn

import striate as st
from striate import inspect, layers as L
from striate.dialects.program import run_script
from striate.inspect.attribution import METHODS
from striate.inspect.whatif import Change, what_if
from striate.store.run import Run

SIDE, CLASSES, COUNT = 10, 3, 48
DATA = f"""
import numpy as np
rng = np.random.RandomState(0)
x = rng.rand({COUNT}, {SIDE}, {SIDE}, 1).astype("float32")
labels = rng.randint(0, {CLASSES}, {COUNT})
"""
SCRIPTS = {
    "keras1": """
from keras.models import Sequential
from keras.layers import Convolution2D, MaxPooling2D, Dropout, Flatten, Dense
from keras.utils import np_utils
net = Sequential()
net.add(Convolution2D(4, 3, 3, border_mode="same", dim_ordering="tf", activation="relu",
                      input_shape=(10, 10, 1)))
net.add(MaxPooling2D((2, 2), dim_ordering="tf"))
net.add(Dropout(0.25))
net.add(Flatten())
net.add(Dense(3, activation="softmax"))
net.compile(loss="categorical_crossentropy", optimizer="adadelta", metrics=["accuracy"])
net.fit(x, np_utils.to_categorical(labels, 3), batch_size=16, nb_epoch=1, validation_split=0.25)
""",
    "bigdl": """
from bigdl.nn.keras.topology import Sequential
from bigdl.nn.keras.layer import *
net = Sequential()
net.add(Reshape((1, 10, 10), input_shape=(10, 10, 1)))
net.add(Convolution2D(4, 3, 3, activation="relu"))
net.add(MaxPooling2D())
net.add(Flatten())
net.add(Dense(3, activation="softmax"))
net.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
net.fit(x, labels + 1, batch_size=16, nb_epoch=1)
""",
    "renom": """
import renom as rm
net = rm.Sequential([rm.Conv2d(channel=4, filter=3), rm.Relu(), rm.MaxPool2d(filter=2, stride=2),
                     rm.Flatten(), rm.Dense(3)])
optimizer = rm.Sgd(lr=0.01)
images, hot = x.reshape(-1, 1, 10, 10), np.eye(3)[labels].astype("float32")
for begin in range(0, 48, 16):
    with net.train():
        loss = rm.softmax_cross_entropy(net(images[begin:begin + 16]), hot[begin:begin + 16])
    loss.grad().update(optimizer)
""",
    "torch script": """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(64, 3)
    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv(x)), 2)
        return self.fc(x.view(x.size(0), -1))
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
images, labels = torch.tensor(x).reshape(-1, 1, 10, 10), torch.tensor(labels)
for begin in range(0, 48, 16):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(images[begin:begin + 16]), labels[begin:begin + 16])
    loss.backward()
    optimizer.step()
""",
}
KINDS = [*SCRIPTS, "from_torch", "native"]


def module():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64, CLASSES),
    )  # fmt: skip


def native():
    image = L.Input((SIDE, SIDE, 1))
    h = L.MaxPooling2D(2)(L.Conv2D(4, 3, activation="relu")(image))
    return st.Model(image, L.Dense(CLASSES, activation="softmax")(L.Flatten()(h)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One run of each kind; those of scripts as `striate run` leaves them."""
    root, here = tmp_path_factory.mktemp("scripts"), Path.cwd()
    os.chdir(root)
    try:
        for kind, text in SCRIPTS.items():
            script = root / f"{kind.replace(' ', '_')}.py"
            script.write_text(DATA + text)
            run_script(script, seed=1, root=root / "runs")
    finally:
        os.chdir(here)
    for name, model in (
        ("from_torch", st.Model.from_torch(module(), (1, SIDE, SIDE))),
        ("native", native()),
    ):
        run = Run.create(root / "runs", name)
        run.write("config.json", {})
        run.finish(model)
    return root / "runs"


@pytest.fixture(scope="module")
def models(runs):
    found = {kind: st.load(runs / kind.replace(" ", "_")) for kind in KINDS}
    return found | {"from_torch": st.Model.from_torch(module(), (1, SIDE, SIDE))}


@pytest.fixture(scope="module", params=KINDS)
def asked(request, models):
    """A model, samples in its form with labels, and the name of its convolution."""
    model, rng = models[request.param], np.random.default_rng(0)
    model.eval()
    x = rng.random((COUNT, *model.input_shape[1:]), dtype=np.float32)
    convolution = next(
        name
        for name in model.graph.layers
        if inspect.explain(model, name).as_dict().get("parameters", ["none"]) != ["none"]
    )
    return model, x, rng.integers(0, CLASSES, COUNT), convolution


QUESTIONS = {
    "summary": lambda m, x, y, c: inspect.summary(m),
    "explain": lambda m, x, y, c: inspect.explain(m, c),
    "kernels": lambda m, x, y, c: inspect.kernels(m, c),
    "feature maps": lambda m, x, y, c: inspect.feature_maps(m, x[0]),
    "receptive field": lambda m, x, y, c: inspect.receptive_field(m, c),
    "map layers": lambda m, x, y, c: inspect.map_layers(m),
    "sanity": lambda m, x, y, c: inspect.sanity(m, x[0], method="grad_cam"),
    "grad-cams": lambda m, x, y, c: inspect.grad_cams(m, x[:4], y[:4]),
    "likes": lambda m, x, y, c: inspect.likes(m, x, c, 1),
    "mistakes": lambda m, x, y, c: inspect.mistakes(m, x, y),
    "health": lambda m, x, y, c: inspect.health(m, x, y),
    "nearest": lambda m, x, y, c: inspect.nearest(m, x, x[0]),
    "compare": lambda m, x, y, c: inspect.compare(m, m, x, y),
    "compare maps": lambda m, x, y, c: inspect.compare_maps(m, m, x[0]),
    "plot model": lambda m, x, y, c: inspect.plot_model(m),
    "what if": lambda m, x, y, c: inspect.feature_maps(what_if(m, (Change(c, 0, 0.0),)), x[0]),
    **{
        f"attribution, {method}": lambda m, x, y, c, how=method: inspect.attribution(
            m, x[0], 1, how
        )
        for method in METHODS
    },
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_answered(name, asked, tmp_path):
    found = QUESTIONS[name](*asked)
    if hasattr(found, "as_json"):
        json.dumps(found.as_json(), allow_nan=False)
    if hasattr(found, "save"):
        suffix = "svg" if name == "plot model" else "png"
        assert found.save(tmp_path / f"a.{suffix}").stat().st_size > 500
    assert len(str(found)) > 5


def test_every_layers_arithmetic_is_the_models_value(asked):
    model, x, _, _ = asked
    rng = np.random.default_rng(1)
    for name in model.graph.layers:
        shape = inspect.feature_maps(model, x[0], [name])[name].values.shape
        node = next(node for node in model.graph.nodes if node.layer.name == name)
        index = tuple(int(rng.integers(size)) for size in node.outputs[0].spec.shape)
        found = inspect.unit(model, x[0], name, index)
        assert found.agrees, (name, index, shape, str(found))


def test_nearest_finds_the_sample_itself(asked):
    model, x, _, _ = asked
    assert inspect.nearest(model, x, x[5], 1).samples[0] == 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_shows_it(kind, runs):
    name = kind.replace(" ", "_")
    page, pixels = Visitor(runs), encoded(np.arange(SIDE * SIDE, dtype=np.uint8))
    columns = page.get("model", run=name)["columns"]
    assert [columns[0][key] for key in ("channels", "height", "width")] == [1, SIDE, SIDE]
    picture = {"run": name, "pixels": pixels}
    assert len(page.post("predict", **picture)["probabilities"]) == CLASSES
    traced = page.ask("POST", "/api/trace", json=picture)
    assert traced.status_code == 200 and len(traced.content) > len(columns)
    assert page.post("cam", **picture)["layer"]
    for column in columns[1:]:
        found = page.post(
            "unit", **picture, layer=column["name"], channel=(column["channels"] or 1) - 1
        )
        assert found["agrees"], column["name"]
    convolution = next(one["name"] for one in columns if one["kind"] == "convolution")
    assert page.get("kernels", run=name, layer=convolution)["outputs"] == 4


FROM_TORCH = """
import striate as st
from torch import nn
net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(256, 3))
model = st.Model.from_torch(net, (1, 10, 10))
model.compile("adam", "crossentropy", metrics=["accuracy"])
model.fit(x.transpose(0, 3, 1, 2), labels, epochs=2, validation_split=0.25, verbose=0)
"""


def test_a_script_around_a_torch_module_leaves_a_whole_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "around.py").write_text(DATA + FROM_TORCH)
    run_script(tmp_path / "around.py", seed=1, root=tmp_path / "runs")
    page = (tmp_path / "runs" / "around" / "report.html").read_text()
    assert "of 12 validation images are right" in page and "before training" in page
    visitor = Visitor(tmp_path / "runs")
    assert visitor.get("model", run="around")["epochs"] == [0, 1, 2]
    found = visitor.get("kernels", run="around", layer="0")
    assert found["before"] != found["values"]


def test_reports_of_scripts_tell_what_was_trained_on(runs):
    keras = (runs / "keras1" / "report.html").read_text()
    assert "of 12 validation images are right" in keras and "images of each class" in keras
    assert "36 training" in keras
    assert "images of each class" in (runs / "bigdl" / "report.html").read_text()
