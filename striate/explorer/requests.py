"""Requests: what the page may ask, checked by type and size before anything is computed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

MAX_PIXELS = 4 * 2**20  # characters of base64: 1,024 x 1,024 in colour
Name = Annotated[str, Field(max_length=200)]
Number = Annotated[int, Field(ge=0, le=10**7)]


class Request(BaseModel):
    """A question; a field that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Look(Request):
    """A question about one picture in one run: `pixels` are its bytes, row by row, in base64.

    `epoch` asks the network as it was after an epoch; without it, as it is.
    """

    run: Name
    epoch: Number | None = None
    pixels: Base64Bytes = Field(max_length=MAX_PIXELS)


class Edit(Request):
    """A change of the network: a map times a factor, or the kernel that makes the map."""

    layer: Name
    channel: Number
    factor: float = Field(0.0, ge=-10, le=10)
    kernel: bool = False


class Edited(Look):
    """A question about a network with changes."""

    edits: list[Edit] = Field(default_factory=list, max_length=16)


class Trace(Edited):
    """Every layer's maps: `pages` chooses 64 maps of a column; `by_activity` sorts them."""

    pages: dict[int, Number] = Field(default_factory=dict, max_length=1000)
    by_activity: bool = False


class Unit(Look):
    """The arithmetic of one unit of a layer: its map, and its place in the map."""

    layer: Name
    channel: Number
    row: Number = 0
    column: Number = 0


class Why(Look):
    """What speaks for a class: by which method, in which layer ("" lets it be chosen)."""

    method: Name = "grad_cam"
    target: Number | None = None
    layer: Name = ""


class Likes(Request):
    """What a map of a layer likes."""

    run: Name
    layer: Name
    channel: Number
