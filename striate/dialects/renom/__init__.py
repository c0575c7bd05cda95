"""ReNom 2 as a dialect: its version, its words, and where its modules are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..dialect import Modules, Patch
from ..session import Script, Session, Version

NAME, DEFAULT, HIDES = "renom", "renom", True
VERSIONS = {"renom": Version("renom", "ReNom 2.7")}
ROOTS = ("renom", "renom_img")
CLUES = (("import", "renom", "renom"),)
REFUSED: dict[str, str] = {
    "ChainedLSTM": "rm.Lstm, one for each layer, in a loop over the steps",
    **dict.fromkeys(("lstm", "gru"), "the layers: rm.Lstm, rm.Gru, which keep their own state"),
    "RoiPool2d": "rm.MaxPool2d, or torchvision.ops.roi_pool over a torch module",
    "AverageUnPool2d": "rm.MaxUnPool2d, or rm.Deconv2d with a filter of ones",
    "graph": "ReNom 2's words: this is the interface of ReNom 3",
    **dict.fromkeys(
        (
            "ImageDistributor",
            "ImageDetectionDistributor",
            "ImageSegmentationDistributor",
        ),
        "ImageClassificationDistributor, or NdarrayDistributor(x, y) of arrays that PIL has read",
    ),
    "renom_img.api": "rm.Sequential or rm.Model of rm.Conv2d: ReNom's ready networks are not here",
    "renom.utility.onnx": "model.save('weights.h5'); the run keeps the network as model.striate",
    "BayesSearcher": "GridSearcher or RandomSearcher",
    "renom.algorithm": "the networks of ReNom: its other algorithms are not here",
    "DQN": "the networks of ReNom: its algorithms of reinforcement learning are not here",
    "Yolo": "the networks of ReNom: its detectors are not here",
}


def decide(found: Mapping[str, Sequence[str]]) -> str:
    """Return the only version."""
    return DEFAULT


def open_session(version: str, script: Script) -> Session:
    """Return the state of a script."""
    return Session(VERSIONS[version], script)


def modules(session: Session) -> Modules:
    """Return every module of the dialect by its path."""
    from .served import modules as made

    return made(session)


def patches(session: Session) -> Sequence[Patch]:
    """Let models tell the script what is trained."""
    from .model import Model

    return ((Model, "script", session.script),)
