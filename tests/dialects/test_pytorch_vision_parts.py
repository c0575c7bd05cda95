"""Boxes, blocks, drawings, files and features of torchvision, by numbers worked out by hand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from PIL import Image
from torch import nn

from striate.dialects import installed
from striate.errors import DataError, StriateError

BOXES = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 40]])


@pytest.fixture(autouse=True)
def served() -> Iterator[None]:
    with installed("pytorch"):
        yield


def ops() -> Any:
    from torchvision import ops  # type: ignore[import-not-found]

    return ops


def test_boxes_overlap_by_their_areas() -> None:
    iou = ops().box_iou(BOXES, BOXES)
    assert iou.tolist() == [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]
    far = ops().generalized_box_iou(BOXES[:1], BOXES[2:])
    assert far.item() == pytest.approx(-(1200 - 300) / 1200)


def test_of_boxes_that_overlap_the_best_one_is_left() -> None:
    scores = torch.tensor([0.5, 0.9, 0.1])
    assert ops().nms(BOXES, scores, 0.4).tolist() == [1, 2]
    assert ops().nms(BOXES, scores, 0.5).tolist() == [1, 0, 2]
    assert ops().batched_nms(BOXES, scores, torch.tensor([0, 1, 0]), 0.4).tolist() == [1, 0, 2]


@pytest.mark.parametrize("form", ["xywh", "cxcywh"])
def test_formats_of_boxes_lead_back(form: str) -> None:
    turned = ops().box_convert(BOXES, "xyxy", form)
    assert turned[2].tolist()[2:] == [10, 20]
    assert torch.equal(ops().box_convert(turned, form, "xyxy"), BOXES)


def test_a_part_of_a_plane_is_the_plane() -> None:
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    plane = (rows * 10 + columns)[None, None]
    part = ops().roi_align(plane, [torch.tensor([[2.0, 1, 6, 5]])], 2, aligned=False)
    assert torch.allclose(part[0, 0], torch.tensor([[23.0, 25], [43, 45]]))


def test_focal_loss_without_focus_is_half_the_cross_entropy() -> None:
    x, y = torch.randn(4, 3), torch.ones(4, 3)
    found = ops().sigmoid_focal_loss(x, y, alpha=0.5, gamma=0, reduction="mean")
    wanted = nn.functional.binary_cross_entropy_with_logits(x, y) / 2
    assert torch.allclose(found, wanted)


def test_blocks_have_the_parts_of_their_names() -> None:
    block = ops().Conv2dNormActivation(3, 8, 3, stride=2, activation_layer=nn.SiLU)
    assert [type(one).__name__ for one in block] == ["Conv2d", "BatchNorm2d", "SiLU"]
    assert block[0].bias is None
    assert block(torch.rand(1, 3, 8, 8)).shape == (1, 8, 4, 4)
    drop = ops().StochasticDepth(1.0, "row")
    assert drop(torch.ones(2, 3)).sum() == 0
    assert drop.eval()(torch.ones(2, 3)).sum() == 6
    assert ops().FrozenBatchNorm2d(2)(torch.ones(1, 2, 2, 2)).sum().item() == pytest.approx(8, 1e-4)


def test_what_a_network_computes_inside_is_given_by_name() -> None:
    from torchvision.models import resnet18  # type: ignore[import-not-found]
    from torchvision.models.feature_extraction import (  # type: ignore[import-not-found]
        create_feature_extractor,
        get_graph_node_names,
    )

    net = resnet18(num_classes=4).eval()
    assert get_graph_node_names(net)[1][:7] == [
        "x", "conv1", "bn1", "relu", "maxpool", "layer1.0.conv1", "layer1.0.bn1",
    ]  # fmt: skip
    found = create_feature_extractor(net, {"layer1": "one", "layer1.0.relu_1": "two", "fc": "end"})
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        out, wanted = found(x), net.maxpool(net.relu(net.bn1(net.conv1(x))))
        assert torch.allclose(out["end"], net(x), atol=1e-4)
        assert torch.allclose(out["two"], net.layer1[0](wanted), atol=1e-4)
    with pytest.raises(Exception, match="the network computes no 'layer9'"):
        create_feature_extractor(net, ["layer9"])


def test_pictures_are_drawn_on_written_and_read(tmp_path: Path) -> None:
    from torchvision.io import (  # type: ignore[import-not-found]
        decode_image,
        read_file,
        read_image,
        write_png,
    )
    from torchvision.utils import (  # type: ignore[import-not-found]
        draw_bounding_boxes,
        draw_segmentation_masks,
    )

    black = torch.zeros(3, 20, 20, dtype=torch.uint8)
    drawn = draw_bounding_boxes(black, torch.tensor([[2.0, 3, 10, 12]]), colors="red")
    assert drawn[:, 3, 5].tolist() == [255, 0, 0]
    assert drawn[:, 7, 5].tolist() == [0, 0, 0]
    mask = torch.zeros(20, 20, dtype=torch.bool)
    mask[15:] = True
    drawn = draw_segmentation_masks(drawn, mask, alpha=0.5, colors="blue")
    assert drawn[:, 16, 5].tolist() == [0, 0, 127]
    write_png(drawn, tmp_path / "a.png")
    assert torch.equal(read_image(tmp_path / "a.png"), drawn)
    assert torch.equal(decode_image(read_file(tmp_path / "a.png")), drawn)


def test_transforms_are_modules_and_tell_what_they_draw() -> None:
    from torchvision import transforms  # type: ignore[import-not-found]

    class Twice(transforms.RandomCrop):  # type: ignore[misc]
        def forward(self, img: Any) -> Any:
            return super().forward(img) * 2

    x = torch.ones(3, 9, 9)
    both = nn.Sequential(transforms.CenterCrop(6), Twice(4))
    assert both(x).shape == (3, 4, 4)
    assert both(x).sum() == 96
    top, left, height, width = transforms.RandomCrop.get_params(x, (4, 5))
    assert 0 <= top <= 5 and 0 <= left <= 4 and (height, width) == (4, 5)
    resized = transforms.Resize(6, max_size=8, antialias=False)(torch.rand(3, 6, 24))
    assert resized.shape == (3, 2, 8)
    assert "Resize(size=6" in repr(transforms.Resize(6))


def test_inception_has_the_weights_that_are_published_for_it() -> None:
    from torchvision import models  # type: ignore[import-not-found]

    with torch.device("meta"):
        net = models.inception_v3(weights=None)
        found = net(torch.empty(2, 3, 299, 299))
    assert sum(weight.numel() for weight in net.parameters()) == 27_161_264
    assert "Mixed_7c.branch3x3dbl_3b.conv.weight" in net.state_dict()
    assert found.logits.shape == found.aux_logits.shape == (2, 1000)
    assert models.inception_v3(weights=None, aux_logits=False, init_weights=False).AuxLogits is None


def test_a_data_set_of_a_script_stands_on_a_folder(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder, VisionDataset  # type: ignore[import-not-found]
    from torchvision.datasets.folder import (  # type: ignore[import-not-found]
        IMG_EXTENSIONS,
        make_dataset,
    )
    from torchvision.datasets.utils import (  # type: ignore[import-not-found]
        check_integrity,
        download_url,
    )

    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(name.encode())
    assert [number for _, number in make_dataset(tmp_path, {"a": 0, "b": 1}, IMG_EXTENSIONS)] == [
        0,
        1,
    ]
    both = VisionDataset(tmp_path, transform=lambda x: x + 1, target_transform=lambda y: -y)
    assert both.transforms(1, 2) == (2, -2)

    class Turned(ImageFolder):  # type: ignore[misc]
        def find_classes(self, directory: Any) -> Any:
            return ["b", "a"], {"b": 0, "a": 1}

    assert [number for _, number in Turned(tmp_path).samples] == [0, 1]
    assert check_integrity(tmp_path / "a" / "0.png", "0cc175b9c0f1b6a831c399e269772661")
    with pytest.raises(Exception, match="nothing is fetched"):
        download_url("http://nowhere/x.zip", tmp_path)


def test_characters_of_alphabets_are_classes(tmp_path: Path) -> None:
    from torchvision.datasets import Omniglot  # type: ignore[import-not-found]

    with pytest.raises(DataError, match="images_evaluation"):
        Omniglot(tmp_path, background=False)
    for name, light in (("Latin/character01", 0), ("Greek/character02", 255)):
        folder = tmp_path / "omniglot-py/images_background" / name
        folder.mkdir(parents=True)
        for number in range(2):
            Image.new("1", (105, 105), light).save(folder / f"000{number}_01.png")
    data = Omniglot(tmp_path, transform=lambda picture: (picture.mode, picture.getpixel((0, 0))))
    assert [data[index] for index in range(4)] == [(("L", 255), 0)] * 2 + [(("L", 0), 1)] * 2
    assert data._characters == ["Greek/character02", "Latin/character01"] and len(data) == 4


def test_blocks_of_residual_networks_make_networks_of_ones_own() -> None:
    from torchvision.models.densenet import DenseNet  # type: ignore[import-not-found]
    from torchvision.models.resnet import (  # type: ignore[import-not-found]
        BasicBlock,
        Bottleneck,
        ResNet,
    )
    from torchvision.models.vgg import VGG, cfgs, make_layers  # type: ignore[import-not-found]

    class Halves(ResNet):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(Bottleneck, [1, 1, 1, 1], num_classes=3)
            self.first = nn.Sequential(self.conv1, self.bn1, self.relu, self.maxpool, self.layer1)

        def forward(self, x: torch.Tensor) -> Any:
            return self.avgpool(self.layer4(self.layer3(self.layer2(self.first(x))))).flatten(1)

    assert Halves()(torch.zeros(2, 3, 32, 32)).shape == (2, 2048)
    groups = lambda channels: nn.GroupNorm(4, channels)  # noqa: E731
    net = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=3, norm_layer=groups)
    assert isinstance(net.layer4[0].downsample[1], nn.GroupNorm)
    deep = ResNet(Bottleneck, [1, 1, 2, 2], replace_stride_with_dilation=[False, True, True])
    assert deep.layer4[1].conv2.dilation == (4, 4)
    assert deep.layer4(torch.zeros(1, 1024, 8, 8)).shape == (1, 2048, 8, 8)
    with torch.device("meta"):
        vgg = VGG(make_layers(cfgs["A"], batch_norm=True), num_classes=5, init_weights=False)
        assert vgg(torch.zeros(1, 3, 64, 64)).shape == (1, 5)
    thin = DenseNet(growth_rate=4, block_config=(2, 2), num_init_features=8, num_classes=5)
    assert thin(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


def test_googlenet_gives_the_scores_of_three_in_training() -> None:
    from torchvision import models  # type: ignore[import-not-found]

    with torch.device("meta"):
        net = models.googlenet(num_classes=7)
        found = net(torch.zeros(2, 3, 64, 64))
        assert found.logits.shape == found.aux_logits1.shape == found.aux_logits2.shape == (2, 7)
        assert models.googlenet(aux_logits=False)(torch.zeros(2, 3, 64, 64)).shape == (2, 1000)


def test_attention_in_shifted_windows_sees_no_place_across_the_edge() -> None:
    from striate.dialects.pytorch.models_attention import WindowAttention

    torch.manual_seed(0)
    layer = WindowAttention(8, 4, 2, 2)
    x = torch.rand(1, 8, 8, 8)
    other = x.clone()
    other[:, 0, 0] += 1  # the roll brings it beside the last places, which must not see it
    changed = (layer(x) - layer(other)).abs().amax(-1)[0] > 1e-4
    assert changed[:2, :2].all() and not changed[2:].any() and not changed[:, 2:].any()


def test_a_transformer_tells_what_size_it_takes() -> None:
    from torchvision import models  # type: ignore[import-not-found]

    net = models.VisionTransformer(image_size=8, patch_size=4, num_layers=1, num_heads=2,
                                   hidden_dim=8, mlp_dim=16, num_classes=3)  # fmt: skip
    assert net(torch.zeros(2, 3, 8, 8)).shape == (2, 3) and net.seq_length == 5
    with pytest.raises(ValueError, match=r"images of 8 x 8, not 8 x 9: transforms\.Resize"):
        net(torch.zeros(2, 3, 8, 9))


def test_files_of_data_sets_are_unpacked_and_read(tmp_path: Path) -> None:
    from torchvision.datasets.mnist import read_label_file  # type: ignore[import-not-found]
    from torchvision.datasets.utils import (  # type: ignore[import-not-found]
        download_file_from_google_drive,
        extract_archive,
        verify_str_arg,
    )
    from torchvision.datasets.vision import StandardTransform  # type: ignore[import-not-found]

    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    for kind, end in (("zip", ".zip"), ("gztar", ".tar.gz")):
        archive = shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path / "in")
        assert archive.endswith(end)
        assert extract_archive(archive, tmp_path / kind) == str(tmp_path / kind)
        assert read_label_file(tmp_path / kind / "labels").tolist() == [7, 9]
    assert verify_str_arg("test", "split", ("train", "test")) == "test"
    with pytest.raises(ValueError, match="split='dev': one of 'train', 'test'"):
        verify_str_arg("dev", "split", ("train", "test"))
    both = StandardTransform(lambda x: x + 1, lambda y: -y)
    assert both(1, 2) == (2, -2)
    with pytest.raises(DataError, match="Google Drive: 1x"):
        download_file_from_google_drive("1x", tmp_path, "a.zip")


def test_trained_weights_that_cannot_be_fetched_have_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch.utils import model_zoo

    def nowhere(*args: object, **words: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", nowhere)
    with pytest.raises(StriateError) as caught:
        model_zoo.load_url("https://somewhere.org/resnet18-5c10.pth", model_dir=str(tmp_path))
    assert str(caught.value).split("\n  at")[0] == (
        "resnet18-5c10.pth: the trained weights are not on this machine, and could not be fetched\n"
        "  got   https://somewhere.org/resnet18-5c10.pth: no network\n"
        f"  need  the published file in {tmp_path}\n"
        "  fix   begin with weights that are drawn: leave the loading out"
    )
    torch.save({"a": torch.ones(1)}, tmp_path / "resnet18-5c10.pth")
    found = model_zoo.load_url("https://somewhere.org/resnet18-5c10.pth", model_dir=str(tmp_path))
    assert found["a"].item() == 1


@pytest.mark.parametrize("name", ["densenet121", "shufflenet_v2_x0_5", "resnet18", "mnasnet0_5"])
def test_the_code_of_a_network_is_followed(name: str) -> None:
    from torchvision import models  # type: ignore[import-not-found]

    from striate.dialects.pytorch.native import follow

    net = getattr(models, name)(num_classes=3).eval()
    x = torch.rand(2, 3, 64, 64)
    followed = follow(net, (3, 64, 64), None)
    assert followed is not None
    with torch.no_grad():
        torch.testing.assert_close(followed.model.eval()(x), net(x), rtol=1e-3, atol=1e-4)


def test_losses_of_boxes_are_of_what_pairs_are_worth() -> None:
    one = torch.tensor([[0.0, 0.0, 4.0, 4.0], [1.0, 1.0, 3.0, 2.0]], requires_grad=True)
    other = torch.tensor([[2.0, 2.0, 6.0, 4.0], [10.0, 10.0, 12.0, 11.0]])
    # areas 16 and 8, both 4, union 20, hull 6 x 4; centres (2, 2) and (4, 3); diagonal 52
    wide = (torch.atan(torch.tensor(2.0)) - torch.atan(torch.tensor(1.0))) ** 2 * 4 / torch.pi**2
    ratio = wide / (1 - 0.2 + wide) * wide
    expected = {"generalized": 0.2 - 4 / 24, "distance": 0.2 - 5 / 52,
                "complete": 0.2 - 5 / 52 - float(ratio)}  # fmt: skip
    for name, worth in expected.items():
        loss = getattr(ops(), f"{name}_box_iou_loss")
        assert float(loss(one, other)[0].detach()) == pytest.approx(1 - worth, abs=1e-5)
        pairs = getattr(ops(), f"{name}_box_iou")(one, other)
        assert torch.allclose(1 - pairs.diag(), loss(one, other), atol=1e-5)
        loss(one, other, reduction="mean").backward()
    assert one.grad is not None and one.grad.abs().sum() > 0


def test_maps_in_boxes_and_pyramids() -> None:
    x = torch.arange(36.0).view(1, 1, 6, 6)
    box = [torch.tensor([[0.0, 0.0, 3.0, 3.0]])]
    assert ops().roi_pool(x, box, 2)[0, 0].tolist() == [[7, 9], [19, 21]]
    assert torch.equal(ops().RoIPool(2, 0.5)(x, [2 * box[0]]), ops().roi_pool(x, box, 2))
    assert torch.equal(ops().RoIAlign(2, 1.0)(x, box), ops().roi_align(x, box, 2))
    maps = {"a": torch.rand(1, 4, 8, 8), "b": torch.rand(1, 8, 4, 4)}
    pyramid = ops().FeaturePyramidNetwork([4, 8], 6)
    out = pyramid(maps)
    assert {name: tuple(one.shape) for name, one in out.items()} == {
        "a": (1, 6, 8, 8), "b": (1, 6, 4, 4)}  # fmt: skip
    small = pyramid.layer_blocks[1](pyramid.inner_blocks[1](maps["b"]))
    assert torch.allclose(out["b"], small, atol=1e-5)
    align = ops().MultiScaleRoIAlign(["a", "b"], 2, 2, canonical_scale=14, canonical_level=2)
    boxes = [torch.tensor([[0.0, 0.0, 6.0, 6.0], [0.0, 0.0, 30.0, 30.0]])]
    parts = align(out, boxes, [(32, 32)])
    assert torch.allclose(
        parts[:1], ops().roi_align(out["a"], [boxes[0][:1]], 2, 0.25, 2), atol=1e-5
    )
    assert torch.allclose(
        parts[1:], ops().roi_align(out["b"], [boxes[0][1:]], 2, 0.125, 2), atol=1e-5
    )
