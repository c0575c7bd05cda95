"""Pictures: image files as the network of a run takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..core.spec import Spec
    from ..store.run import Run


def pictures(run: Run, images: Sequence[str], spec: Spec) -> NDArray[Any]:
    """Return images as a batch; where a script scaled its own, in the range that it trained on."""
    from ..data.image import load, ranged
    from ..engine.progress import say

    pixels = load(list(images), spec)
    if run.input_range is None:
        return pixels
    low, high = run.input_range
    if run.input_range != (0.0, 255.0):
        say(
            f"note: the script trained on values from {low:.4g} to {high:.4g}, so black and white "
            "become these; where it scaled each channel apart, predict arrays with st.load"
        )
    return ranged(pixels, low, high)
