"""The modules of torchvision by their paths, where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch

from ..dialect import Modules
from ..scalars import SummaryWriter, logging
from ..session import Session
from ..strict import Strict
from . import (
    blocks,
    blocks_mobile,
    boxes,
    boxes_of_maps,
    counted,
    datasets_folders,
    datasets_names,
    drawings,
    features,
    functional,
    functional_names,
    grid,
    image_files,
    models,
    summaries,
    transforms as still,
    transforms_newer as newer,
    transforms_policies as policies,
    transforms_random as drawn,
    tv_samples as samples,
    tv_tensors,
)

TRANSFORMS = (
    *(still.Compose, still.ToTensor, still.PILToTensor, still.ConvertImageDtype),
    *(still.ToPILImage, still.Normalize, still.Resize, still.CenterCrop, still.Pad),
    *(still.Lambda, still.Grayscale, still.FiveCrop, still.TenCrop, still.LinearTransformation),
    *(drawn.RandomCrop, drawn.RandomHorizontalFlip, drawn.RandomVerticalFlip),
    *(drawn.RandomRotation, drawn.RandomAffine, drawn.RandomResizedCrop, drawn.ColorJitter),
    *(drawn.RandomPerspective, drawn.RandomAutocontrast, drawn.RandomGrayscale),
    *(drawn.RandomErasing, drawn.GaussianBlur, drawn.RandomApply, drawn.RandomChoice),
    *(drawn.RandomOrder, drawn.RandomInvert, drawn.RandomEqualize, drawn.RandomPosterize),
    *(drawn.RandomSolarize, drawn.RandomAdjustSharpness, drawn.ElasticTransform),
    *(policies.RandAugment, policies.TrivialAugmentWide, policies.AutoAugment),
    *(policies.AutoAugmentPolicy, policies.AugMix, functional.InterpolationMode),
)
PICTURES = (
    *(grid.make_grid, grid.save_image, drawings.draw_bounding_boxes),
    *(drawings.draw_segmentation_masks, drawings.draw_keypoints),
)
CLASSES: dict[str, Any] = {
    **{one.__name__: one for one in TRANSFORMS},
    "Scale": still.Resize,
    "RandomSizedCrop": drawn.RandomResizedCrop,
}
NEWER: dict[str, Any] = {
    **CLASSES,
    "Transform": samples.OwnTransform,
    "ToImageTensor": samples.ToImage,
    "Identity": still.Transform,
    "MixUp": policies.MixUp,
    "CutMix": policies.CutMix,
    **{one.__name__: one for one in (*newer.NEWER_CLASSES, *samples.SAMPLE_CLASSES)},
}


NATIVE = {  # what a new program writes for a class
    "RandomHorizontalFlip": 'L.RandomFlip("horizontal")', "Resize": "L.Resizing(height, width)",
    "RandomVerticalFlip": 'L.RandomFlip("vertical")', "RandomRotation": "L.RandomRotation(factor)",
    "RandomCrop": "L.RandomCrop(height, width)", "CenterCrop": "L.CenterCrop(height, width)",
    "MNIST": "st.datasets.mnist()", "FashionMNIST": "st.datasets.fashion_mnist()",
    "CIFAR10": "st.datasets.cifar10()", "CIFAR100": "st.datasets.cifar100()",
    "Normalize": "L.Normalization(mean=mean, variance=variance)", "Pad": "L.ZeroPadding2D(padding)",
}  # fmt: skip
for name, made in {**CLASSES, **NEWER, **datasets_names.names(None)}.items():
    if isinstance(made, Strict):
        made.title, made.native = "torchvision", NATIVE.get(name, "")


def modules(session: Session) -> Modules:
    """Return every module by its path."""
    writer = type("SummaryWriter", (SummaryWriter,), {"session": session})
    served: dict[str, dict[str, Any]] = {
        "tensorboardX": {"SummaryWriter": writer},
        "tensorboard_logger": logging(session),
        "torchsummary": {"summary": summaries.keras_like},
        "torchinfo": {"summary": summaries.tree_like},
        "thop": counted.NAMES,
    }
    return served if find_spec("torchvision") is not None else served | vision(session)


def vision(session: Session) -> dict[str, dict[str, Any]]:
    """Return the modules of torchvision."""
    sets = datasets_names.names(session.script.limit_samples)
    pictures = {one.__name__: one for one in PICTURES}
    published = {"load_state_dict_from_url": torch.hub.load_state_dict_from_url}
    return {
        "torchvision": {
            "__version__": "0.28.0",
            "set_image_backend": lambda backend: None,
            "get_image_backend": lambda: "PIL",
            "disable_beta_transforms_warning": lambda: None,
        },
        "torchvision.io": image_files.NAMES,
        "torchvision.io.image": image_files.NAMES,
        "torchvision.ops": {**boxes.FUNCTIONS, **boxes_of_maps.NAMES, **blocks.NAMES},
        "torchvision.ops.feature_pyramid_network": {
            **boxes_of_maps.NAMES,
            "LastLevelMaxPool": boxes_of_maps.LastLevelMaxPool,
        },
        "torchvision.ops.boxes": boxes.FUNCTIONS,
        "torchvision.ops.misc": blocks.NAMES,
        "torchvision.models._utils": {
            "IntermediateLayerGetter": features.IntermediateLayerGetter,
            "_make_divisible": blocks_mobile.NAMES["_make_divisible"],
        },
        "torchvision.models.feature_extraction": features.NAMES,
        "torchvision.tv_tensors": tv_tensors.NAMES,
        "torchvision.datasets": sets,
        "torchvision.datasets.mnist": {**sets, **datasets_names.MNIST_FILES},
        "torchvision.datasets.cifar": sets,
        "torchvision.datasets.omniglot": sets,
        "torchvision.datasets.folder": {**sets, **datasets_names.FOLDER},
        "torchvision.datasets.vision": {
            "VisionDataset": sets["VisionDataset"],
            "StandardTransform": datasets_folders.StandardTransform,
        },
        "torchvision.datasets.utils": datasets_names.FILES,
        "torchvision.transforms": CLASSES,
        "torchvision.transforms.transforms": CLASSES,
        "torchvision.transforms.autoaugment": CLASSES,
        **{
            f"torchvision.transforms.{path}": functional_names.FUNCTIONS
            for path in ("functional", "functional_tensor", "functional_pil")
        },
        "torchvision.transforms._functional_tensor": functional_names.FUNCTIONS,
        "torchvision.version": {"__version__": "0.28.0", "cuda": None},
        "torchvision._internally_replaced_utils": published,
        "torchvision.models.utils": published,
        "torchvision.models._api": {"WeightsEnum": models.Words, "Weights": models.Words},
        "torchvision.transforms.v2": NEWER,
        "torchvision.transforms.v2.functional": {
            **functional_names.FUNCTIONS,
            **samples.SAMPLE_FUNCTIONS,
        },
        "torchvision.utils": pictures,
        "torchvision.models": models.names(),
        **{f"torchvision.models.{name}": made for name, made in models.families().items()},
    }
