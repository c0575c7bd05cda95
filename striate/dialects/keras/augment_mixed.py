"""Layers of Keras 3 that mix pictures with others, or apply several changes drawn by chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.layer import Layer
from ..symbolic import tensor
from ..table import Row
from .augment import Made
from .session import KerasSession

TONES = ("AutoContrast", "Equalization", "Solarization", "RandomColorDegeneration",
         "RandomPosterization", "RandomSharpness")  # fmt: skip

MOVES = ("RandomBrightness", "RandomContrast", "RandomRotation", "RandomTranslation")


def _beta(alpha: float, count: int) -> Tensor:
    return torch.distributions.Beta(alpha, alpha).sample((count,))


def rows(session: KerasSession, base: Any, made: Made) -> Made:
    """Return rows and classes by name, of those that change one picture."""

    class Mixing(base):  # type: ignore[misc]
        """Pictures and one-hot labels, mixed with others of the batch, while training."""

        def __init__(self, alpha: float) -> None:
            base.__init__(self)
            self.alpha = alpha

        def __call__(self, inputs: Any, training: Any = True, **words: Any) -> Any:
            """Mix a dictionary of images and labels, or pictures alone."""
            if not isinstance(inputs, Mapping):
                return super().__call__(inputs, training=training, **words)
            if not training:
                return dict(inputs)
            x, labels = tensor(inputs["images"]).float(), tensor(inputs["labels"]).float()
            images, share, order = self.mixed(x)
            share = share.reshape(-1, *(1,) * (labels.dim() - 1))
            return {**inputs, "images": images, "labels":
                    labels * share + labels[order] * (1 - share)}  # fmt: skip

        def call(self, inputs: Tensor, training: Any = None) -> Tensor:
            """Mix pictures."""
            return self.mixed(tensor(inputs).float())[0] if training else inputs

    class MixUp(Mixing):
        """Sums of two pictures, whose shares are drawn from Beta(alpha, alpha).

        Source: Zhang et al., mixup: Beyond Empirical Risk Minimization, 2018.
        """

        def __init__(self, alpha: float = 0.2) -> None:
            super().__init__(alpha)

        def mixed(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            """Return the pictures, the share of each that is its own, and the others."""
            order, share = torch.randperm(len(x)), _beta(self.alpha, len(x))
            own = share.reshape(-1, 1, 1, 1)
            return x * own + x[order] * (1 - own), share, order

    class CutMix(Mixing):
        """Pictures with a rectangle of another one, whose share is drawn from Beta(factor, factor).

        Source: Yun et al., CutMix, 2019.
        """

        def __init__(self, factor: Any = 1.0) -> None:
            super().__init__(float(np.max(factor)))

        def mixed(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            """Return the pictures, the share of each that is its own, and the others."""
            first = session.layout == "channels_first"
            height, width = x.shape[2:] if first else x.shape[1:3]
            order, share = torch.randperm(len(x)), _beta(self.alpha, len(x))
            side = (1 - share).sqrt()
            inside = torch.ones(len(x), height, width, dtype=torch.bool)
            for axis, size in ((1, height), (2, width)):
                middle, half = torch.randint(size, (len(x),)), (size * side / 2).long()
                places = torch.arange(size).expand(len(x), size)
                part = (places >= (middle - half)[:, None]) & (places < (middle + half)[:, None])
                inside &= part[:, :, None] if axis == 1 else part[:, None, :]
            own = 1 - inside.float().mean((1, 2))
            where = inside.unsqueeze(1 if first else -1)
            return torch.where(where, x[order], x), own, order

    class Several(base):  # type: ignore[misc]
        """Changes of pictures one after the other, while training."""

        strength = 0.3  # without a factor

        def __init__(self, value_range: Any = (0, 255), num_ops: int = 2, factor: Any = None,
                     num_chains: int = 3, chain_depth: int = 3, alpha: float = 1.0,
                     brightness_factor: Any = None, contrast_factor: Any = None,
                     saturation_factor: Any = None, hue_factor: Any = None) -> None:  # fmt: skip
            base.__init__(self)
            self.value_range, self.count, self.alpha = value_range, num_ops, alpha
            self.chains, self.depth = num_chains, chain_depth
            if factor is not None:
                self.strength = float(np.max(factor))
            self.factors = (("RandomBrightness", brightness_factor),
                            ("RandomContrast", contrast_factor),
                            ("RandomSaturation", saturation_factor),
                            ("RandomHue", hue_factor))  # fmt: skip

        def one(self, name: str, factor: Any = None) -> Layer:
            """Return the layer of a change."""
            from ... import layers as native

            cls: Any = made[name][1] if name in made else getattr(native, name)
            words = {} if name in native.__all__ and name != "RandomBrightness" else {
                "value_range": self.value_range}  # fmt: skip
            args = () if factor is None else (factor,) * (1 + (name == "RandomTranslation"))
            layer: Layer = cls(*args, **words)
            layer.train()
            return layer

        def any(self) -> Layer:
            """Return the layer of a change that is drawn."""
            power = self.strength
            drawn = int(torch.randint(len(TONES) + len(MOVES), ()))
            if drawn < len(TONES):
                name = TONES[drawn]
                given = {"RandomPosterization": max(1, round(8 - 6 * power)),
                         "RandomColorDegeneration": power, "RandomSharpness": power}  # fmt: skip
                return self.one(name, given.get(name))
            name = MOVES[drawn - len(TONES)]
            return self.one(name, power * (0.1 if name == "RandomRotation" else 1.0))

    class RandAugment(Several):
        """`num_ops` changes that are drawn for each batch.

        Source: Cubuk et al., RandAugment, 2019.
        """

        strength = 0.5

        def call(self, inputs: Tensor, training: Any = None) -> Tensor:
            """Change."""
            x = tensor(inputs).float()
            for _ in range(self.count if training else 0):
                x = self.any()(x)
            return x.clamp(*self.value_range) if training else inputs

    class AugMix(Several):
        """A mixture of chains of changes and of the pictures themselves.

        Source: Hendrycks et al., AugMix, 2020.
        """

        def call(self, inputs: Tensor, training: Any = None) -> Tensor:
            """Mix."""
            x = tensor(inputs).float()
            if not training:
                return inputs
            shares = torch.distributions.Dirichlet(torch.full((self.chains,), self.alpha)).sample()
            total = torch.zeros_like(x)
            for share in shares:
                chain = x
                for _ in range(int(torch.randint(1, self.depth + 1, ()))):
                    chain = self.any()(chain)
                total = total + share * chain
            own = _beta(self.alpha, 1)
            return (own * x + (1 - own) * total).clamp(*self.value_range)

    class RandomColorJitter(Several):
        """Brightness, contrast, saturation and hue, each by chance."""

        def call(self, inputs: Tensor, training: Any = None) -> Tensor:
            """Change."""
            x = tensor(inputs).float()
            for name, factor in self.factors if training else ():
                x = x if factor is None else self.one(name, factor)(x)
            return x if training else inputs

    orders = {
        MixUp: ("alpha",), CutMix: ("factor",), RandAugment: ("value_range", "num_ops", "factor"),
        AugMix: ("value_range", "num_chains", "chain_depth", "factor", "alpha"),
        RandomColorJitter: ("value_range", "brightness_factor", "contrast_factor",
                            "saturation_factor", "hue_factor"),
    }  # fmt: skip
    dropped = ("seed", "data_format", "interpolation", "all_ops")
    return {
        cls.__name__: (Row(cls.__name__, (cls.__name__,), order, dropped=dropped), cls)
        for cls, order in orders.items()
    }
