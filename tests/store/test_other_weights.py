"""Weights of PyTorch and ReNom in a native model."""

from __future__ import annotations

import h5py
import numpy as np
import torch
from cases import told
from torch import nn

import striate as st
from striate import layers as L


def test_a_state_dict_layer_by_layer(tmp_path):
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(),
                           nn.Linear(3 * 4 * 4, 2))  # fmt: skip
    for buffer in module.buffers():
        buffer.copy_(torch.rand_like(buffer.float()) + 0.5)
    module.eval()
    torch.save({"state_dict": module.state_dict(), "epoch": 3}, tmp_path / "net.pth")
    model = st.Sequential([
        L.Input((1, 6, 6), data_format="channels_first"), L.Conv2D(3, 3),
        L.BatchNormalization(epsilon=1e-5), L.ReLU(), L.Flatten(), L.Dense(2),
    ])  # fmt: skip
    model.load_weights(tmp_path / "net.pth")
    x = torch.randn(2, 1, 6, 6)
    np.testing.assert_allclose(model.predict(x.numpy()), module(x).detach().numpy(), atol=1e-5)


def test_a_state_dict_by_name(tmp_path):
    module = nn.Sequential(nn.Linear(3, 2))
    torch.save(module.state_dict(), tmp_path / "net.pt")
    model = st.Model.from_torch(nn.Sequential(nn.Linear(3, 2)), (3,))
    model.load_weights(tmp_path / "net.pt")
    x = torch.randn(2, 3)
    np.testing.assert_allclose(model.predict(x.numpy()), module(x).detach().numpy(), atol=1e-6)


def test_a_pickled_module_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(nn.Linear(3, 2), "whole.pt")
    model = st.Sequential([L.Input((3,)), L.Dense(2)])
    text = told(lambda: model.load_weights("whole.pt"))
    assert text.startswith(
        "whole.pt: is not a file of tensors alone\n  got   Weights only load failed"
    )
    assert text.endswith(
        "  need  torch.save(model.state_dict(), path)\n"
        "  fix   save the state_dict: a pickled model is code, and no code is taken from a file"
    )
    torch.save([1, 2], "list.pt")
    assert told(lambda: model.load_weights("list.pt")) == (
        "list.pt: holds no state_dict\n"
        "  got   list\n"
        "  need  tensors by name\n"
        "  fix   torch.save(model.state_dict(), path)"
    )
    assert told(lambda: model.load_weights("none.pt")) == (
        "none.pt: cannot be read\n  got   No such file or directory\n  fix   check the path"
    )


def test_a_state_dict_that_does_not_fit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(nn.Sequential(nn.Linear(3, 4)).state_dict(), "net.pt")
    model = st.Sequential([L.Input((3,)), L.Dense(2, name="a")])
    assert told(lambda: model.load_weights("net.pt")) == (
        "net.pt: 0.weight does not fit the model\n"
        "  got   (3, 4)\n"
        "  need  (3, 2)\n"
        "  fix   build the network that the weights were saved from"
    )
    torch.save(nn.Sequential(nn.Linear(3, 2, bias=False)).state_dict(), "net.pt")
    assert told(lambda: model.load_weights("net.pt")) == (
        "net.pt: the weights of a do not fit the model\n  got   0.weight\n  need  2 tensors"
    )
    torch.save(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)).state_dict(), "net.pt")
    assert told(lambda: model.load_weights("net.pt")) == (
        "net.pt: has weights for another number of layers than the model\n"
        "  got   2: 0, 1\n"
        "  need  1: a\n"
        "  fix   build the network that the weights were saved from"
    )


def renom(path, *layers):
    with h5py.File(path, "w") as file:
        file.create_group("types/root")
        file.create_group("values/root")
        for number, arrays in enumerate(layers):
            for name, array in arrays.items():
                file[f"values/root.l{number}/{name}"] = array


def test_renoms_kernels_are_turned(tmp_path):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(2, 1, 3, 3)).astype("float32")
    bias = rng.normal(size=(1, 2, 1, 1)).astype("float32")
    weight = rng.normal(size=(8, 3)).astype("float32")
    renom(tmp_path / "net.h5", {"w": kernel, "b": bias}, {}, {"w": weight, "b": np.ones((1, 3))})
    model = st.Sequential([L.Input((1, 4, 4), data_format="channels_first"), L.Conv2D(2, 3),
                           L.Flatten(), L.Dense(3)])  # fmt: skip
    model.load_weights(tmp_path / "net.h5")
    x = torch.randn(2, 1, 4, 4)
    turned = torch.from_numpy(kernel).flip(2, 3)  # ReNom computes true convolution
    y = nn.functional.conv2d(x, turned, torch.from_numpy(bias.ravel())).flatten(1)
    expected = y @ torch.from_numpy(weight) + 1
    np.testing.assert_allclose(model.predict(x.numpy()), expected.numpy(), atol=1e-5)


def test_renoms_weights_of_another_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    renom(tmp_path / "net.h5", {"w": np.ones((3, 2)), "b": np.ones((1, 2))})
    model = st.Sequential([L.Input((3,)), L.Dense(2, name="a"), L.Dense(2, name="b")])
    assert told(lambda: model.load_weights("net.h5")) == (
        "net.h5: has weights for another number of layers than the model\n"
        "  got   1 layers: root.l0\n"
        "  need  2 layers: a, b\n"
        "  fix   build the network that the weights were saved from"
    )
