"""PyTorch with torchvision as a dialect: torch itself, its old idioms, and torchvision's parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..dialect import Modules, Patch
from ..session import Script, Session, Version

NAME, DEFAULT, HIDES = "pytorch", "pytorch", False
VERSIONS = {
    "pytorch": Version("pytorch", "PyTorch", typed=True),
    "pytorch0": Version("pytorch0", "PyTorch 0.3"),
}
ROOTS = ("torch", "torchvision")
CLUES = (
    *(("import", word, "pytorch") for word in ("torch", "torchvision")),
    *(("name", word, "pytorch0") for word in ("Variable", "loss.data")),
    ("import", "torch.autograd.Variable", "pytorch0"),
    *(("keyword", word, "pytorch0") for word in ("volatile", "size_average")),
)
_DETECTION = (
    "networks of whole images or their pixels (models.segmentation): there are no detectors"
)
_OWN_FILES = "a torch.utils.data.Dataset of your own over its files, image and target"
_FILES = (
    "datasets.ImageFolder(root) over its unpacked files, a folder for each class; MNIST, "
    "FashionMNIST, KMNIST, EMNIST, USPS, CIFAR10, CIFAR100, SVHN, STL10, CelebA, Flowers102, "
    "OxfordIIITPet, VOCSegmentation, CocoDetection and others are read as such"
)
REFUSED: dict[str, str] = {
    **dict.fromkeys(("detection", "KeyPoints"), _DETECTION),
    "video": "nn.Conv3d and nn.MaxPool3d in a network of your own: there are none for videos",
    **dict.fromkeys(
        (
            "Cityscapes",
            "WIDERFace",
            "Kitti",
            "SBDataset",
        ),
        _OWN_FILES,
    ),
    **dict.fromkeys(
        ("swin_v2_t", "swin_v2_s", "swin_v2_b", "maxvit_t"), "swin_t, vit_b_16 or convnext_tiny"
    ),
    "quantization": "the networks of floats: models.mobilenet_v2, models.resnet18",
    **dict.fromkeys(
        (
            "StanfordCars",
            "INaturalist",
            "LFWPeople",
            "LSUN",
            "PCAM",
            "Places365",
            "SEMEION",
            "SBU",
            "LFWPairs",
            "MovingMNIST",
            "QMNIST",
            "Flickr8k",
            "Flickr30k",
        ),
        _FILES,
    ),
}


def decide(found: Mapping[str, Sequence[str]]) -> str:
    """Return the version: the old one where its words are there."""
    return "pytorch0" if "pytorch0" in found else "pytorch"


def open_session(version: str, script: Script) -> Session:
    """Return the state of a script."""
    if script.limit_samples is not None:
        script.note("--limit-samples shortens the data sets of torchvision")
    return Session(VERSIONS[version], script)


def modules(session: Session) -> Modules:
    """Return every module of the dialect by its path."""
    from .served import modules as made

    return made(session)


def patches(session: Session) -> Sequence[Patch]:
    """Return what torch has lost since, and the native way of calling a network."""
    from .idioms import patches as idioms
    from .loading import patches as loading
    from .native import patches as native
    from .optimizers import patches as optimizers
    from .waiting_patches import patches as waiting

    return (*idioms(session), *native(session), *optimizers(), *loading(), *waiting(session))
