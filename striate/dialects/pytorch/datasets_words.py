"""Names of classes, and where files are fetched from, of torchvision's data sets."""

from __future__ import annotations

import string

from ...data.datasets import fetch

KMNIST_FILES = tuple(
    fetch.Published(f"{name}-ubyte.gz", ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",), digest,
                    "md5")
    for name, digest in (
        ("train-images-idx3", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1", "7320c461ea6c1c855c0b718fb2a4b134"),
    )
)  # fmt: skip
_CAPITALS, _SMALL = string.ascii_uppercase, string.ascii_lowercase
EMNIST_CLASSES = {  # small letters that look like capitals are merged in most parts
    "digits": tuple(string.digits), "mnist": tuple(string.digits),
    "letters": ("N/A", *_SMALL), "byclass": tuple(string.digits + _CAPITALS + _SMALL),
    **dict.fromkeys(("balanced", "bymerge"), tuple(string.digits + _CAPITALS + "abdefghnqrt")),
}  # fmt: skip
_HUNDRED = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
    crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
    keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse
    mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy
    porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
    snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television
    tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
HUNDRED = tuple(_HUNDRED.split())  # of CIFAR-100
