"""How colours look to people of each kind of colour vision, and how well text is read on a ground.

Sources: the matrices of Machado, Oliveira and Fernandes, A Physiologically-based Model for
Simulation of Color Vision Deficiency, IEEE TVCG 15(6), 2009, at severity 1, which act on linear
RGB; the distance is that of OKLab, Ottosson 2020, in which a difference of 0.02 is just noticed
(CSS Color 4); the contrast that of WCAG 2.1, whose level AA asks 4.5 of text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

VISION = {
    "everybody": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
APART = 0.12  # of OKLab: six times what is just noticed
READ = 4.5  # contrast of text

Colour = Sequence[float]  # red, green, blue from 0 to 255


def linear(colour: Colour) -> NDArray[np.float64]:
    """Return the light of an sRGB colour."""
    part = np.asarray(colour, dtype=float)[:3] / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def seen(colour: Colour, vision: str) -> NDArray[np.float64]:
    """Return lightness and the two hues of a colour as somebody sees it."""
    light = (VISION[vision] @ linear(colour)).clip(0, 1)
    return LAB @ np.cbrt(CONES @ light)


def distance(one: Colour, other: Colour, vision: str) -> float:
    """Return how different two colours look."""
    return float(np.linalg.norm(seen(one, vision) - seen(other, vision)))


def contrast(one: Colour, other: Colour) -> float:
    """Return how well one colour is read on the other: 1 to 21."""
    low, high = sorted(float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (one, other))
    return (high + 0.05) / (low + 0.05)


def over(top: Colour, ground: Colour, share: float) -> list[float]:
    """Return a colour laid over another, so opaque as `share` says."""
    return [share * a + (1 - share) * b for a, b in zip(top, ground, strict=True)]


def named(css: str) -> dict[str, tuple[int, int, int]]:
    """Return the variables of a block of CSS that are colours."""
    import re

    found = {}
    for name, value in re.findall(r"--([\w-]+):\s*([^;}]+)", css):
        digits = re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", value.strip())
        if digits:
            whole = digits[1] if len(digits[1]) == 6 else "".join(2 * one for one in digits[1])
            found[name] = tuple(int(whole[at : at + 2], 16) for at in (0, 2, 4))
        elif re.fullmatch(r"\d+ \d+ \d+", value.strip()):
            found[name] = tuple(map(int, value.split()))
    return found
