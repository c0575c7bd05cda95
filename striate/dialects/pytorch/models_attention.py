"""torchvision's networks after transformers: ViT, Swin, and ConvNeXt, which learned from them.

Names of weights are those of the published files, so that `load_state_dict` takes a copy of one.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .blocks import MLP, Permute, StochasticDepth

VIT = {  # layers, heads, width, width inside
    "b_16": (16, 12, 12, 768, 3072), "b_32": (32, 12, 12, 768, 3072),
    "l_16": (16, 24, 16, 1024, 4096), "l_32": (32, 24, 16, 1024, 4096),
    "h_14": (14, 32, 16, 1280, 5120),
}  # fmt: skip
SWIN = {  # width, blocks and heads of each stage, stochastic depth
    "t": (96, (2, 2, 6, 2), (3, 6, 12, 24), 0.2),
    "s": (96, (2, 2, 18, 2), (3, 6, 12, 24), 0.3),
    "b": (128, (2, 2, 18, 2), (4, 8, 16, 32), 0.5),
}
CONVNEXT = {  # channels and blocks of each stage, stochastic depth
    "tiny": ((96, 192, 384, 768), (3, 3, 9, 3), 0.1),
    "small": ((96, 192, 384, 768), (3, 3, 27, 3), 0.4),
    "base": ((128, 256, 512, 1024), (3, 3, 27, 3), 0.5),
    "large": ((192, 384, 768, 1536), (3, 3, 27, 3), 0.5),
}
Norm = Callable[[int], nn.Module]
FINE = partial(nn.LayerNorm, eps=1e-6)


class EncoderBlock(nn.Module):
    """Attention and a small network, each behind a normalisation and added to what it was given."""

    def __init__(self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float,
                 attention_dropout: float, norm_layer: Norm = FINE) -> None:  # fmt: skip
        super().__init__()
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(
            hidden_dim, num_heads, dropout=attention_dropout, batch_first=True
        )
        self.dropout, self.ln_2 = nn.Dropout(dropout), norm_layer(hidden_dim)
        self.mlp = mixing(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Tensor) -> Tensor:
        """Return the changed sequence (N, L, C)."""
        x = self.ln_1(input)
        x = self.dropout(self.self_attention(x, x, x, need_weights=False)[0]) + input
        out: Tensor = x + self.mlp(self.ln_2(x))
        return out


def mixing(width: int, inside: int, dropout: float) -> MLP:
    """Return two dense layers with a GELU between them."""
    made = MLP(width, [inside, width], activation_layer=nn.GELU, inplace=None, dropout=dropout)
    for part in made:
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            nn.init.normal_(part.bias, std=1e-6)
    return made


class Encoder(nn.Module):
    """Blocks behind embeddings of the places, and a normalisation."""

    def __init__(self, length: int, layers: int, heads: int, width: int, inside: int,
                 dropout: float, attention_dropout: float, norm_layer: Norm) -> None:  # fmt: skip
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, length, width).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        block = partial(EncoderBlock, heads, width, inside, dropout, attention_dropout, norm_layer)
        made = [(f"encoder_layer_{number}", block()) for number in range(layers)]
        self.layers, self.ln = nn.Sequential(OrderedDict(made)), norm_layer(width)

    def forward(self, input: Tensor) -> Tensor:
        """Return the changed sequence (N, L, C)."""
        out: Tensor = self.ln(self.layers(self.dropout(input + self.pos_embedding)))
        return out


class VisionTransformer(nn.Module):
    """ViT. Source: Dosovitskiy et al., An image is worth 16x16 words, 2020."""

    def __init__(self, image_size: int, patch_size: int, num_layers: int, num_heads: int,
                 hidden_dim: int, mlp_dim: int, dropout: float = 0.0,
                 attention_dropout: float = 0.0, num_classes: int = 1000,
                 representation_size: int | None = None, norm_layer: Norm = FINE
                 ) -> None:  # fmt: skip
        super().__init__()
        self.image_size, self.patch_size, self.hidden_dim = image_size, patch_size, hidden_dim
        self.num_classes, self.seq_length = num_classes, (image_size // patch_size) ** 2 + 1
        self.conv_proj = nn.Conv2d(3, hidden_dim, patch_size, patch_size)
        self.class_token = nn.Parameter(torch.zeros(1, 1, hidden_dim))
        self.encoder = Encoder(self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim,
                               dropout, attention_dropout, norm_layer)  # fmt: skip
        heads: list[tuple[str, nn.Module]] = []
        if representation_size is not None:
            before = nn.Linear(hidden_dim, representation_size)
            nn.init.trunc_normal_(before.weight, std=math.sqrt(1 / hidden_dim))
            nn.init.zeros_(before.bias)
            heads = [("pre_logits", before), ("act", nn.Tanh())]
        head = nn.Linear(representation_size or hidden_dim, num_classes)
        self.heads = nn.Sequential(OrderedDict([*heads, ("head", head)]))
        fan_in = self.conv_proj.in_channels * patch_size**2
        nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / fan_in))
        for zero in (self.conv_proj.bias, head.weight, head.bias):
            nn.init.zeros_(zero)  # type: ignore[arg-type]

    def _process_input(self, x: Tensor) -> Tensor:
        """Return the patches of images as sequences (N, L, C)."""
        if x.shape[2:] != (self.image_size, self.image_size):
            raise ValueError(f"images of {self.image_size} x {self.image_size}, not "
                             f"{x.shape[2]} x {x.shape[3]}: transforms.Resize")  # fmt: skip
        return self.conv_proj(x).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        patches = self._process_input(x)
        x = torch.cat([self.class_token.expand(len(patches), -1, -1), patches], dim=1)
        out: Tensor = self.heads(self.encoder(x)[:, 0])
        return out


def vit(name: str, image_size: int = 224, **words: Any) -> VisionTransformer:
    """Return a ViT of a published size."""
    return VisionTransformer(image_size, *VIT[name], **words)


class WindowAttention(nn.Module):
    """Attention among the places of each window; windows may be shifted by half of one."""

    def __init__(self, width: int, side: int, shift: int, heads: int) -> None:
        super().__init__()
        self.side, self.shift, self.heads = side, shift, heads
        self.qkv, self.proj = nn.Linear(width, width * 3), nn.Linear(width, width)
        table = torch.empty((2 * side - 1) ** 2, heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        at = torch.stack(torch.meshgrid(*[torch.arange(side)] * 2, indexing="ij")).flatten(1)
        apart = at[:, :, None] - at[:, None] + side - 1  # (2, places, places)
        index = (apart[0] * (2 * side - 1) + apart[1]).flatten()
        self.register_buffer("relative_position_index", index)

    def forward(self, x: Tensor) -> Tensor:
        """Return the changed map (N, H, W, C)."""
        side, (count, high, wide, width) = self.side, x.shape
        x = F.pad(x, (0, 0, 0, -wide % side, 0, -high % side))
        rows, columns = x.shape[1] // side, x.shape[2] // side
        shifts = [0 if side >= size else self.shift for size in x.shape[1:3]]
        if any(shifts):
            x = torch.roll(x, [-one for one in shifts], (1, 2))
        x = (
            x.view(count, rows, side, columns, side, width)
            .transpose(2, 3)
            .reshape(-1, side * side, width)
        )
        q, k, v = (
            self.qkv(x).view(len(x), -1, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        )
        bias = self.relative_position_bias_table[self.relative_position_index]  # type: ignore[index]
        bias = bias.view(side * side, side * side, -1).permute(2, 0, 1)[None]
        if any(shifts):
            apart = _apart(rows * side, columns * side, side, shifts).to(x.device)
            bias = bias + apart.repeat(count, 1, 1)[:, None]
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.expand(len(x), *bias.shape[1:]))
        x = self.proj(x.transpose(1, 2).reshape(len(x), -1, width))
        x = (
            x.view(count, rows, columns, side, side, width)
            .transpose(2, 3)
            .reshape(count, rows * side, columns * side, width)
        )
        if any(shifts):
            x = torch.roll(x, shifts, (1, 2))
        return x[:, :high, :wide]


def _apart(high: int, wide: int, side: int, shifts: list[int]) -> Tensor:
    """Return -100 for pairs of places that a shift has brought into one window: (windows, L, L)."""
    parts = torch.zeros(high, wide)
    number = 0
    for top, end in ((0, -side), (-side, -shifts[0] or None), (-shifts[0] or high, None)):
        for left, right in ((0, -side), (-side, -shifts[1] or None), (-shifts[1] or wide, None)):
            parts[top:end, left:right] = number
            number += 1
    windows = (
        parts.view(high // side, side, wide // side, side).transpose(1, 2).reshape(-1, side * side)
    )
    return (windows[:, None] != windows[:, :, None]) * -100.0


class SwinBlock(nn.Module):
    """Attention in windows and a small network, each added to what it was given."""

    def __init__(self, width: int, heads: int, shift: int, drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-5)
        self.attn = WindowAttention(width, 7, shift, heads)
        self.stochastic_depth = StochasticDepth(drop, "row")
        self.norm2, self.mlp = nn.LayerNorm(width, eps=1e-5), mixing(width, 4 * width, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return the changed map (N, H, W, C)."""
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        out: Tensor = x + self.stochastic_depth(self.mlp(self.norm2(x)))
        return out


class PatchMerging(nn.Module):
    """Four neighbours as one place of twice the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smaller map (N, H, W, C)."""
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        parts = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        out: Tensor = self.reduction(self.norm(torch.cat(parts, -1)))
        return out


class SwinTransformer(nn.Module):
    """Swin. Source: Liu et al., Swin transformer, 2021."""

    def __init__(self, name: str, num_classes: int = 1000) -> None:
        super().__init__()
        width, counts, heads, drop = SWIN[name]
        first = nn.Conv2d(3, width, 4, 4)
        layers: list[nn.Module] = [
            nn.Sequential(first, Permute([0, 2, 3, 1]), nn.LayerNorm(width, eps=1e-5))
        ]
        done, total = 0, sum(counts) - 1
        for stage, count in enumerate(counts):
            blocks = []
            for place in range(count):
                shift = 3 if place % 2 else 0
                blocks.append(SwinBlock(width, heads[stage], shift, drop * done / total))
                done += 1
            layers.append(nn.Sequential(*blocks))
            if stage < len(counts) - 1:
                layers.append(PatchMerging(width))
                width *= 2
        self.features, self.norm = nn.Sequential(*layers), nn.LayerNorm(width, eps=1e-5)
        self.permute, self.avgpool = Permute([0, 3, 1, 2]), nn.AdaptiveAvgPool2d(1)
        self.flatten, self.head = nn.Flatten(1), nn.Linear(width, num_classes)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.trunc_normal_(part.weight, std=0.02)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        x = self.permute(self.norm(self.features(x)))
        out: Tensor = self.head(self.flatten(self.avgpool(x)))
        return out


class LayerNorm2d(nn.LayerNorm):
    """A normalisation of the channels of each place of a map."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised map (N, C, H, W)."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """A wide convolution of each channel alone, a small network, and the sum with the input."""

    def __init__(self, dim: int, layer_scale: float, stochastic_depth_prob: float) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, 7, padding=3, groups=dim, bias=True), Permute([0, 2, 3, 1]),
            FINE(dim), nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim),
            Permute([0, 3, 1, 2]),
        )  # fmt: skip
        self.layer_scale = nn.Parameter(torch.ones(dim, 1, 1) * layer_scale)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        """Return the sum."""
        out: Tensor = self.stochastic_depth(self.layer_scale * self.block(input))
        return out + input


class ConvNeXt(nn.Module):
    """ConvNeXt. Source: Liu et al., A ConvNet for the 2020s, 2022."""

    def __init__(self, name: str, num_classes: int = 1000, layer_scale: float = 1e-6) -> None:
        super().__init__()
        widths, counts, drop = CONVNEXT[name]
        norm = partial(LayerNorm2d, eps=1e-6)
        layers: list[nn.Module] = [nn.Sequential(nn.Conv2d(3, widths[0], 4, 4), norm(widths[0]))]
        done, total = 0, sum(counts) - 1
        for stage, (width, count) in enumerate(zip(widths, counts, strict=True)):
            if stage:
                before = widths[stage - 1]
                layers.append(nn.Sequential(norm(before), nn.Conv2d(before, width, 2, 2)))
            drops = [drop * (done + place) / total for place in range(count)]
            layers.append(nn.Sequential(*(CNBlock(width, layer_scale, one) for one in drops)))
            done += count
        self.features, self.avgpool = nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            norm(widths[-1]), nn.Flatten(1), nn.Linear(widths[-1], num_classes)
        )
        for part in self.modules():
            if isinstance(part, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(part.weight, std=0.02)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes."""
        out: Tensor = self.classifier(self.avgpool(self.features(x)))
        return out
