"""Parts of samples: a drawn change of an image is the same for its masks and boxes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch
from PIL import Image as Pillow
from torch import Tensor
from torch.utils import _pytree as tree

from .tv_tensors import BoundingBoxes, Mask, TVTensor


def placed(one: Any) -> bool:
    """Return whether something has places that can be changed."""
    return isinstance(one, (TVTensor, Pillow.Image))


def alike(change: Callable[[Any], Any], sample: Any, images_only: bool) -> Any:
    """Return a sample whose parts are changed by the same draws.

    The first plain tensor is its image where it has no other.
    """
    leaves, form = tree.tree_flatten(sample)
    kinds = (Mask, BoundingBoxes)
    places = [at for at, one in enumerate(leaves) if placed(one)]
    if not any(not isinstance(leaves[at], kinds) for at in places):
        plain = [at for at, one in enumerate(leaves) if type(one) is Tensor][:1]
        places = sorted(places + plain)
    if images_only:
        places = [at for at in places if not isinstance(leaves[at], kinds)]
    before = torch.get_rng_state(), random.getstate()
    for at in places:
        torch.set_rng_state(before[0])
        random.setstate(before[1])
        leaves[at] = change(leaves[at])
    return tree.tree_unflatten(leaves, form)
