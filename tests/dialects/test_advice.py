"""What an unknown name or argument is told: dialect, class, word, and advice that works."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import pytest

import striate as st
from striate.dialects import DialectError, installed

KERAS, CORE, OLD = "keras.layers", "bigdl.nn.layer", "bigdl.nn.keras.layer"
# The dialect, a module, a call with a wrong word, who is named, and the word that is meant.
ARGUMENTS = [
    ("keras0", KERAS, "Convolution2D(8, 3, 3, border_mod='same')", "Keras 0.3 Convolution2D",
     "border_mode"),
    ("keras1", KERAS, "Convolution2D(8, 3, 3, subsampl=(2, 2))", "Keras 1.2 Convolution2D",
     "subsample"),
    ("keras1", KERAS, "Dense(output_dimm=8)", "Keras 1.2 Dense", "output_dim"),
    ("keras1", KERAS, "BatchNormalization(epsilonn=1e-3)", "Keras 1.2 BatchNormalization",
     "epsilon"),
    ("keras1", KERAS, "Embedding(9, 3, int='uniform')", "Keras 1.2 Embedding", "init"),
    ("keras2", KERAS, "Conv2D(8, 3, kernel_initialiser='zeros')", "Keras 2.2 Conv2D",
     "kernel_initializer"),
    ("keras2", KERAS, "LSTM(3, return_sequence=True)", "Keras 2.2 LSTM", "return_sequences"),
    ("keras2", KERAS, "MaxPooling2D(pool_sise=2)", "Keras 2.2 MaxPooling2D", "pool_size"),
    ("keras2", KERAS, "Dropout(0.5, sed=3)", "Keras 2.2 Dropout", "seed"),
    ("keras2", "keras.optimizers", "SGD(momentun=0.9)", "Keras 2.2 SGD", "momentum"),
    ("keras2", "keras.optimizers", "Adam(beta1=0.9)", "Keras 2.2 Adam", "beta_1"),
    ("keras23", KERAS, "LeakyReLU(alfa=0.2)", "Keras 2.3 LeakyReLU", "alpha"),
    ("tf", "tensorflow.keras.layers", "Dense(8, kernel_regulariser=None)", "tf.keras 2 Dense",
     "kernel_regularizer"),
    ("tf", "tensorflow.keras.layers", "RandomFlip(mod='horizontal')", "tf.keras 2 RandomFlip",
     "mode"),
    ("keras3", KERAS, "Conv2D(8, 3, paddding='same')", "Keras 3 Conv2D", "padding"),
    ("keras3", KERAS, "GroupNormalization(group=2)", "Keras 3 GroupNormalization", "groups"),
    ("bigdl", CORE, "Linear(3, 2, with_bia=True)", "BigDL 0.7 Linear", "with_bias"),
    ("bigdl", CORE, "SpatialConvolution(1, 2, 3, 3, padw=1)", "BigDL 0.7 SpatialConvolution",
     "pad_w"),
    ("bigdl", CORE, "Dropout(init_pp=0.5)", "BigDL 0.7 Dropout", "init_p"),
    ("bigdl", OLD, "Dense(3, activaton='relu')", "BigDL 0.7 Dense", "activation"),
    ("bigdl", OLD, "Convolution2D(3, 3, 3, border_mod='same')", "BigDL 0.7 Convolution2D",
     "border_mode"),
    ("bigdl", "bigdl.optim.optimizer", "SGD(learning_rate=0.1)", "BigDL 0.7 SGD", "learningrate"),
    ("bigdl", "bigdl.nn.criterion", "ClassNLLCriterion(size_averag=False)",
     "BigDL 0.7 ClassNLLCriterion", "size_average"),
    ("renom", "renom", "Conv2d(3, filtr=3)", "ReNom 2.7 Conv2d", "filter"),
    ("renom", "renom", "GroupConv2d(4, grups=2)", "ReNom 2.7 GroupConv2d", "groups"),
    ("renom", "renom", "Deconv2d(4, strid=2)", "ReNom 2.7 Deconv2d", "stride"),
    ("renom", "renom", "Dense(3, ignore_bia=True)", "ReNom 2.7 Dense", "ignore_bias"),
    ("renom", "renom", "MaxPool2d(filters=2)", "ReNom 2.7 MaxPool2d", "filter"),
    ("renom", "renom", "BatchNormalize(epsilonn=1e-3)", "ReNom 2.7 BatchNormalize", "epsilon"),
    ("renom", "renom", "Sgd(momentun=0.9)", "ReNom 2.7 Sgd", "momentum"),
    ("renom", "renom", "LeakyRelu(slop=0.1)", "ReNom 2.7 LeakyRelu", "slope"),
    ("pytorch", "torchvision.transforms", "Pad(3, fil=2)", "torchvision Pad", "fill"),
    ("pytorch", "torchvision.transforms", "RandomCrop(3, paddding=2)", "torchvision RandomCrop",
     "padding"),
    ("pytorch", "torchvision.transforms", "Normalize((0,), sdt=(1,))", "torchvision Normalize",
     "std"),
    ("pytorch", "torchvision.datasets", "MNIST('x', trian=True)", "torchvision MNIST", "train"),
]  # fmt: skip
NAMES = [  # names that a module has not, and those that are meant
    ("keras1", KERAS, "Convolution2d", "Convolution2D"),
    ("keras2", KERAS, "Desne", "Dense"),
    ("keras2", "keras.optimizers", "Adagrda", "Adagrad"),
    ("keras2", "keras.callbacks", "EarlyStoping", "EarlyStopping"),
    ("tf", "tensorflow.keras.layers", "GlobalAvgPooling2D", "GlobalAvgPool2D"),
    ("keras3", "keras.losses", "CategoricalCrossentropi", "CategoricalCrossentropy"),
    ("bigdl", CORE, "SpatialConvolutoin", "SpatialConvolution"),
    ("bigdl", OLD, "MaxPoling2D", "MaxPooling2D"),
    ("bigdl", "bigdl.optim.optimizer", "MaxEpochs", "MaxEpoch"),
    ("renom", "renom", "Conv2D", "Conv2d"),
    ("renom", "renom", "MaxPol2d", "MaxPool2d"),
    ("renom", "renom", "softmax_crossentropy", "softmax_cross_entropy"),
    ("pytorch", "torchvision.transforms", "RandomCropp", "RandomCrop"),
    ("pytorch", "torchvision.datasets", "FashionMINST", "FashionMNIST"),
]


def native_advice_is_true(message: str) -> None:
    """Assert that every native name in a message is there, with the arguments that it shows."""
    rooms = {"L": st.layers, "st": st}
    for path, shown in re.findall(r"\b((?:L|st)(?:\.\w+)+)\(([^()]*)\)", message):
        root, *rest = path.split(".")
        made: Any = rooms[root]
        for word in rest:
            made = getattr(made, word)
        known = inspect.signature(made).parameters
        words = [one.strip().partition("=")[0] for one in shown.split(",") if one.strip()]
        for word in words:
            assert word in known or word.strip("\"'.") != word, (path, word, list(known))


@pytest.mark.parametrize(("dialect", "module", "text", "who", "meant"), ARGUMENTS,
                         ids=[f"{one[0]} {one[2]}" for one in ARGUMENTS])  # fmt: skip
def test_an_unknown_argument_is_told_with_the_one_that_is_meant(
    dialect: str, module: str, text: str, who: str, meant: str
) -> None:
    with installed(dialect):
        names = vars(importlib.import_module(module))
        with pytest.raises(DialectError) as caught:
            eval(text, dict(names))
        message = str(caught.value)
        (wrong,) = re.findall(r"there is no argument '(\w+)'", message)
        assert message.startswith(f"{who}: there is no argument '{wrong}'\n")
        assert f'did you mean "{meant}"?' in message or f"{meant}=" in message, message
        assert wrong in text and not re.search(r" +$", message, re.M)
        native_advice_is_true(message)
        right = text.replace(f"{wrong}=", f"{meant}=")
        if "MNIST" not in text:
            eval(right, dict(names))  # the word that is meant is one


@pytest.mark.parametrize(("dialect", "module", "name", "meant"), NAMES)
def test_an_unknown_name_is_told_with_the_one_that_is_meant(
    dialect: str, module: str, name: str, meant: str
) -> None:
    with installed(dialect) as session:
        place = importlib.import_module(module)
        with pytest.raises(DialectError) as caught:
            getattr(place, name)
        message = str(caught.value)
        assert message.startswith(f"{module}.{name}: {session.version.title} has no such name here")
        assert f'did you mean "{meant}"?' in message
        assert hasattr(place, meant) and not hasattr(place, name)
        native_advice_is_true(message)


def test_there_are_as_many_cases_as_asked_for_in_every_dialect() -> None:
    cases = [one[0] for one in (*ARGUMENTS, *NAMES)]
    roots = ("keras", "tf", "bigdl", "renom", "pytorch")
    assert len(cases) >= 30
    assert all(sum(case.startswith(root) for case in cases) >= 3 for root in roots)
