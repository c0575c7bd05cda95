"""Where torchvision has published trained weights: `model_urls` of its older versions."""

from __future__ import annotations

from ...data.datasets.fetch import Published

ADDRESS = "https://download.pytorch.org/models/{}.pth"
FILES = {
    "alexnet": "alexnet-owt-4df8aa71", "vgg11": "vgg11-bbd30ac9", "vgg13": "vgg13-c768596a",
    "vgg16": "vgg16-397923af", "vgg19": "vgg19-dcbb9e9d", "vgg11_bn": "vgg11_bn-6002323d",
    "vgg13_bn": "vgg13_bn-abd245e5", "vgg16_bn": "vgg16_bn-6c64b313",
    "vgg19_bn": "vgg19_bn-c79401a0", "resnet18": "resnet18-5c106cde",
    "resnet34": "resnet34-333f7ec4", "resnet50": "resnet50-19c8e357",
    "resnet101": "resnet101-5d3b4d8f", "resnet152": "resnet152-b121ed2d",
    "densenet121": "densenet121-a639ec97", "densenet169": "densenet169-b2777c0a",
    "densenet201": "densenet201-c1103571", "densenet161": "densenet161-8d451a50",
    "squeezenet1_0": "squeezenet1_0-a815701f", "squeezenet1_1": "squeezenet1_1-f364aa15",
    "inception_v3_google": "inception_v3_google-1a9a5a14", "googlenet": "googlenet-1378be20",
    "mobilenet_v2": "mobilenet_v2-b0353104",
}  # fmt: skip


def addresses(begins: tuple[str, ...]) -> dict[str, str]:
    """Return the addresses of the networks whose names begin so."""
    return {name: ADDRESS.format(file) for name, file in FILES.items() if name.startswith(begins)}


def published(name: str) -> Published | None:
    """Return the file of a network; the beginning of its SHA-256 is at the end of its name."""
    stem = FILES.get(name) or FILES.get(f"{name}_google")
    if stem is None:
        return None
    folder, _, file = ADDRESS.format(stem).rpartition("/")
    return Published(file, (f"{folder}/",), stem.rpartition("-")[2])
