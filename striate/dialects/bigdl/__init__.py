"""BigDL 0.x as a dialect: its version, its words, and where its modules are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..dialect import Modules, Patch
from ..session import Script, Version
from .session import BigdlSession

NAME, DEFAULT, HIDES = "bigdl", "bigdl", True
VERSIONS = {"bigdl": Version("bigdl", "BigDL 0.7")}
ROOTS = ("bigdl", "zoo")
CLUES = (("import", "bigdl", "bigdl"), ("import", "zoo", "bigdl"))
_RECURRENT = (
    "LSTM", "GRU", "SimpleRNN", "ConvLSTM2D", "Bidirectional", "Recurrent", "RnnCell",
    "LSTMPeephole", "BiRecurrent", "ConvLSTMPeephole",
)  # fmt: skip
_KERAS = (
    "the Keras-style API of BigDL 0.x: bigdl.nn.keras.topology and bigdl.nn.keras.layer, whose "
    "classes count from 1; or a script of Keras itself"
)
REFUSED: dict[str, str] = {
    **dict.fromkeys(_RECURRENT, "a network of convolutions: there are no recurrent layers"),
    "Embedding": "natively, torch.nn.Embedding in L.TorchModule",
    "LookupTable": "natively, torch.nn.Embedding in L.TorchModule",
    "callBigDlFunc": "Striate's own verbs: there is no JVM behind this dialect",
    "GradientReversal": "natively: a layer whose backward is written with torch.autograd.Function",
    "SpatialConvolutionMap": "SpatialConvolution, with n_group for parts of the planes",
    "Nms": "networks that give one class to an image: there are no detectors",
    "RoiPooling": "networks that give one class to an image: there are no detectors",
    "bigdl.dllib.keras": _KERAS,
    "bigdl.orca": _KERAS,
    "zoo.pipeline": _KERAS,
    "zoo.orca": _KERAS,
    "bigdl.transform": "arrays: Sample.from_ndarray(image, label) of images that PIL has read",
    "bigdl.dlframes": "RDDs of samples and Optimizer, or arrays and fit: data frames are not read",
    "Merge": "merge(inputs, mode), or CAddTable, CMulTable, JoinTable",
}


def decide(found: Mapping[str, Sequence[str]]) -> str:
    """Return the only version."""
    return DEFAULT


def open_session(version: str, script: Script) -> BigdlSession:
    """Return the state of a script."""
    return BigdlSession(VERSIONS[version], script)


def modules(session: BigdlSession) -> Modules:
    """Return every module of the dialect by its path."""
    from .served import modules as made

    return made(session)


def patches(session: BigdlSession) -> Sequence[Patch]:
    """Return no patches."""
    return ()
