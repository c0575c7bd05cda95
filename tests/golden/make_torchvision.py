"""Makes torchvision.json from real torchvision: what its functions and classes give for a picture.

python tests/golden/make_torchvision.py  (in an environment with torchvision, whatever its build)
"""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

CASES = {  # by the name of what is compared; `im`, `gray`: pictures, `x`: bytes, `f`: floats
    "to_tensor": "F.to_tensor(im)",
    "pil_to_tensor": "F.pil_to_tensor(im)",
    "to_pil_image": "F.to_pil_image(f)",
    "normalize": "F.normalize(f, [0.4, 0.5, 0.6], [0.2, 0.3, 0.4])",
    "resize": "F.resize(im, 13)",
    "resize to a size": "F.resize(im, [5, 4])",
    "resize to the nearest": "F.resize(im, [5, 14], interpolation=F.InterpolationMode.NEAREST)",
    "resize a tensor": "F.resize(f, [5, 14], antialias=True)",
    "crop": "F.crop(im, 1, 2, 4, 5)",
    "crop beyond": "F.crop(im, -1, 6, 4, 5)",
    "center_crop": "F.center_crop(im, [4, 5])",
    "center_crop beyond": "F.center_crop(im, [12, 5])",
    "resized_crop": "F.resized_crop(im, 1, 2, 4, 5, [6, 6])",
    "pad": "F.pad(im, [1, 2, 3, 0], fill=7)",
    "pad reflected": "F.pad(im, 2, padding_mode='reflect')",
    "pad at the edge of a tensor": "F.pad(x, [1, 2], padding_mode='edge')",
    "hflip": "F.hflip(im)",
    "vflip": "F.vflip(x)",
    "rotate": "F.rotate(im, 30)",
    "rotate bilinear": "F.rotate(im, -50, interpolation=F.InterpolationMode.BILINEAR)",
    "rotate and expand": "F.rotate(im, 30, expand=True, fill=9)",
    "rotate about": "F.rotate(im, 90, center=(2, 3))",
    "rotate a tensor": "F.rotate(f, 30)",
    "affine": "F.affine(im, 20, [1, 2], 1.2, [10.0, 5.0])",
    "affine of a tensor": "F.affine(f, 20, [1, 2], 1.2, [10.0, 5.0])",
    "perspective": """F.perspective(im, [[0, 0], [8, 0], [8, 7], [0, 7]],
                                    [[1, 0], [8, 1], [7, 7], [0, 6]])""",
    "to_grayscale": "F.to_grayscale(im)",
    "rgb_to_grayscale": "F.rgb_to_grayscale(f, 3)",
    "adjust_brightness": "F.adjust_brightness(im, 1.3)",
    "adjust_brightness of a tensor": "F.adjust_brightness(x, 1.3)",
    "adjust_contrast": "F.adjust_contrast(im, 0.6)",
    "adjust_contrast of a tensor": "F.adjust_contrast(f, 0.6)",
    "adjust_saturation": "F.adjust_saturation(im, 1.7)",
    "adjust_saturation of a tensor": "F.adjust_saturation(x, 1.7)",
    "adjust_hue": "F.adjust_hue(im, -0.29)",
    "adjust_hue of a tensor": "F.adjust_hue(f, -0.3)",
    "adjust_gamma": "F.adjust_gamma(im, 1.5, 0.9)",
    "adjust_sharpness": "F.adjust_sharpness(im, 2.0)",
    "adjust_sharpness of a tensor": "F.adjust_sharpness(f, 0.5)",
    "autocontrast": "F.autocontrast(im)",
    "autocontrast of a tensor": "F.autocontrast(f)",
    "equalize": "F.equalize(im)",
    "equalize a tensor": "F.equalize(x)",
    "invert": "F.invert(im)",
    "posterize": "F.posterize(im, 3)",
    "solarize": "F.solarize(im, 100)",
    "erase": "F.erase(f, 1, 2, 3, 4, torch.tensor(0.5))",
    "gaussian_blur": "F.gaussian_blur(f, [3, 5], [0.8, 1.1])",
    "gaussian_blur of a picture": "F.gaussian_blur(im, 3)",
    "five_crop": "F.five_crop(im, [4, 5])",
    "ten_crop": "F.ten_crop(im, [4, 5])",
    "get_dimensions": "F.get_dimensions(im)",
    "get_image_size": "F.get_image_size(im)",
    "ToTensor": "T.ToTensor()(gray)",
    "PILToTensor": "T.PILToTensor()(im)",
    "ConvertImageDtype": "T.ConvertImageDtype(torch.float32)(x)",
    "ToPILImage": "T.ToPILImage()(x)",
    "Normalize": "T.Normalize((0.5,), (0.25,))(f[:1])",
    "Resize": "T.Resize((12, 5))(im)",
    "CenterCrop": "T.CenterCrop(5)(im)",
    "Pad": "T.Pad((1, 2), fill=3)(im)",
    "Lambda": "T.Lambda(lambda one: one.rotate(90))(im)",
    "Grayscale": "T.Grayscale(3)(im)",
    "Compose": "T.Compose([T.CenterCrop(6), T.ToTensor()])(im)",
    "FiveCrop": "T.FiveCrop(4)(im)",
    "TenCrop": "T.TenCrop(4, vertical_flip=True)(im)",
    "LinearTransformation":
        "T.LinearTransformation(torch.eye(216).flip(0), torch.full((216,), 0.5))(f)",
    "GaussianBlur": "T.GaussianBlur(3, (0.9, 0.9))(f)",
    "RandomHorizontalFlip": "T.RandomHorizontalFlip(1.0)(im)",
    "RandomVerticalFlip": "T.RandomVerticalFlip(1.0)(im)",
    "RandomRotation": "T.RandomRotation((90, 90))(im)",
    "RandomAffine": "T.RandomAffine((20, 20))(im)",
    "RandomCrop": "T.RandomCrop((8, 9))(im)",
    "RandomGrayscale": "T.RandomGrayscale(1.0)(im)",
    "RandomInvert": "T.RandomInvert(1.0)(im)",
    "RandomPosterize": "T.RandomPosterize(2, 1.0)(im)",
    "RandomSolarize": "T.RandomSolarize(90, 1.0)(im)",
    "RandomAdjustSharpness": "T.RandomAdjustSharpness(2, 1.0)(im)",
    "RandomAutocontrast": "T.RandomAutocontrast(1.0)(im)",
    "RandomEqualize": "T.RandomEqualize(1.0)(im)",
    "RandomApply": "T.RandomApply([T.Pad(1)], 1.0)(im)",
    "RandomChoice": "T.RandomChoice([T.Pad(1)])(im)",
    "RandomOrder": "T.RandomOrder([T.Pad(1)])(im)",
    "ColorJitter": "T.ColorJitter(brightness=(1.2, 1.2))(im)",
    "RandomResizedCrop": "T.RandomResizedCrop((8, 9), (1.0, 1.0), (9 / 8, 9 / 8))(im)",
    "RandomPerspective": "T.RandomPerspective(p=0.0)(im)",
    "RandomErasing": "T.RandomErasing(p=0.0)(f)",
}  # fmt: skip


def pictures() -> dict[str, object]:
    """Return the names that a case is written in."""
    from torchvision import transforms
    from torchvision.transforms import functional

    wave = np.sin(np.arange(8 * 9 * 3) * 0.37) * 90 + np.arange(8 * 9 * 3) % 9 * 12 + 20
    each = wave.clip(0, 255).astype("uint8").reshape(8, 9, 3)
    x = torch.from_numpy(each.transpose(2, 0, 1).copy())
    im, gray = Image.fromarray(each), Image.fromarray(each[..., 0].copy())
    return {"F": functional, "T": transforms, "torch": torch, "im": im, "gray": gray, "x": x,
            "f": x.float() / 255}  # fmt: skip


def given(name: str) -> object:
    """Return what a case gives, as lists of numbers."""
    return of(eval(CASES[name], pictures()))


def of(made: object) -> object:
    """Return the numbers of a picture, a tensor, or several."""
    if isinstance(made, (tuple, list)) and not isinstance(made[0], int):
        return [of(one) for one in made]
    return np.round(np.asarray(made, "float64"), 3).tolist()


if __name__ == "__main__":
    import torchvision

    document = {
        "torchvision": torchvision.__version__,
        "results": {name: given(name) for name in CASES},
    }
    Path(__file__).with_name("torchvision.json").write_text(json.dumps(document) + "\n")
