"""Networks of keras.applications: NASNet is Keras's, and files of trained weights are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import installed
from striate.dialects.keras import applications_published
from striate.dialects.table import DialectError

NASNET = [  # of Keras 3.15.1 on JAX, with the weights that `filled` gives
    [0.13297, 0.1393, 0.14465, 0.14791, 0.14834, 0.14584, 0.14098],
    [0.13224, 0.13878, 0.14442, 0.148, 0.1487, 0.14635, 0.14151],
]


def numbers(*shape: int) -> np.ndarray:
    return np.sin(np.arange(int(np.prod(shape))) * 12.9898).reshape(shape).astype("float32")


def filled(model: Any) -> Any:
    """Give every weight numbers by its name and shape alone."""
    for weight in model.weights:
        shape = tuple(weight.shape)
        size = (2 / np.prod(shape[:-1])) ** 0.5 if len(shape) > 1 else 0.1
        value = numbers(*shape) * size
        positive = any(word in weight.path for word in ("variance", "gamma"))
        weight.assign(np.abs(value) + 1 if positive else value)
    return model


def test_nasnet_computes_what_it_does_in_keras() -> None:
    with installed("keras3"):
        from keras.applications.nasnet import NASNetMobile

        model = filled(NASNetMobile(weights=None, input_shape=(64, 64, 3), classes=7))
        assert (model.count_params(), len(model.layers), len(model.weights)) == (4277115, 771, 1126)
        assert model.layers[10].name == "separable_conv_1_reduction_left1_stem_1"
        found = model.predict(numbers(2, 64, 64, 3), verbose=0)
        np.testing.assert_allclose(found, NASNET, atol=2e-4)
        assert NASNetMobile(weights=None).count_params() == 5326716


def test_trained_weights_are_read_from_the_folder_of_keras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    with installed("keras3"):
        from keras.applications import MobileNet

        given = filled(MobileNet(weights=None, include_top=False, input_shape=(32, 32, 3)))
        given.save_weights(str(tmp_path / "models" / "mobilenet_1_0_224_tf_no_top.h5"))
        found = MobileNet(include_top=False, input_shape=(32, 32, 3))
        for one, other in zip(found.get_weights(), given.get_weights(), strict=True):
            assert (one == other).all()


def test_trained_weights_are_fetched_once_from_where_keras_publishes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(applications_published, "HOST", (tmp_path / "mirror").as_uri())
    mirror = tmp_path / "mirror/tensorflow/keras-applications/mobilenet"
    mirror.mkdir(parents=True)
    file = mirror / "mobilenet_2_5_128_tf_no_top.h5"
    words = {"alpha": 0.25, "include_top": False, "input_shape": (128, 128, 3)}
    with installed("keras3"):
        from keras.applications import VGG16, MobileNet

        given = filled(MobileNet(weights=None, **words))
        with pytest.raises(DialectError) as told:
            MobileNet(**words)
        assert str(told.value).splitlines()[2:4] == [
            f"  need  the published file {file.name} in {tmp_path / 'home' / 'models'}",
            "  fix   STRIATE_WEIGHTS=drawn in the environment goes on with weights that are drawn, "
            "which learn from the start; weights=None in the script does too",
        ]
        given.save_weights(str(mirror / "mobilenet.weights.h5"))
        (mirror / "mobilenet.weights.h5").rename(file)
        for _ in range(2):
            found = MobileNet(**words)
            for one, other in zip(found.get_weights(), given.get_weights(), strict=True):
                assert (one == other).all()
        assert capsys.readouterr().err.count(f"note: fetching {file.as_uri()}, once") == 2
        with pytest.raises(DialectError, match=r"vgg16_weights_tf_dim_ordering_tf_kernels\.h5"):
            VGG16()
        monkeypatch.setenv("STRIATE_WEIGHTS", "drawn")
        assert VGG16(include_top=False, input_shape=(32, 32, 3)).output_shape == (None, 1, 1, 512)
        assert "VGG16 begins with weights that are drawn" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "model", "top", "address"),
    [
        ("ResNet50", "resnet50", True, "/tensorflow/keras-applications/resnet/"
         "resnet50_weights_tf_dim_ordering_tf_kernels.h5"),
        ("EfficientNetB0", "efficientnetb0", False, "/keras-applications/efficientnetb0_notop.h5"),
        ("MobileNetV2", "mobilenetv2_1.00_160", False, "/tensorflow/keras-applications/"
         "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_160_no_top.h5"),
        ("MobileNetV3Large", "MobileNetV3Large", False, "/tensorflow/keras-applications/"
         "mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5"),
        ("NASNetLarge", "NASNet", False, "/tensorflow/keras-applications/nasnet/"
         "NASNet-large-no-top.h5"),
    ],
)  # fmt: skip
def test_addresses_are_those_of_keras(kind: str, model: str, top: bool, address: str) -> None:
    file = applications_published.published(kind, model, top)
    assert file is not None
    assert file.mirrors[0] + file.name == f"https://storage.googleapis.com{address}"


@pytest.mark.parametrize(
    ("name", "count", "named"),
    [
        ("MobileNetV2", 156, ["Conv1_relu", "expanded_conv_depthwise_BN", "block_1_expand_relu",
                              "block_13_pad", "block_15_add", "block_16_project", "out_relu"]),
        ("MobileNet", 91, ["conv1_relu", "conv_pad_2", "conv_dw_13_relu", "conv_pw_13_relu",
                           "conv_preds", "predictions"]),
        ("ResNet50", 177, ["conv1_relu", "conv2_block1_add", "conv4_block6_2_relu",
                           "conv5_block3_out"]),
        ("ResNet50V2", 192, ["conv2_block1_preact_relu", "conv5_block3_out", "post_relu"]),
        ("DenseNet121", 429, ["conv1_relu", "conv2_block1_0_relu", "pool4_relu", "relu"]),
        ("EfficientNetB0", 240, ["stem_conv_pad", "stem_activation",
                                 "block2a_expand_activation", "block2a_dwconv_pad",
                                 "block7a_project_bn"]),
        ("EfficientNetV2B0", 273, ["block1a_project_activation", "block4a_se_reshape",
                                   "block6h_add", "top_activation", "avg_pool"]),
        ("MobileNetV3Small", 164, ["conv_bn", "expanded_conv_depthwise_pad",
                                   "expanded_conv_squeeze_excite_mul", "activation_17",
                                   "logits"]),
        ("ConvNeXtTiny", 135, ["convnext_tiny_stem", "convnext_tiny_downsampling_block_0",
                               "convnext_tiny_stage_3_block_2_identity",
                               "convnext_tiny_head_gap", "convnext_tiny_head_dense"]),
        ("InceptionResNetV2", 782, ["mixed_5b", "block35_10_ac", "mixed_6a", "mixed_7a",
                                    "block8_10_conv", "conv_7b_ac"]),
    ],
)  # fmt: skip
def test_layers_are_called_as_in_keras(name: str, count: int, named: list[str]) -> None:
    with installed("keras3"):
        from keras import applications

        model = getattr(applications, name)(weights=None)
        assert len(model.layers) == count  # as in Keras 3.15.1
        found = [layer.name for layer in model.layers]
        assert [one for one in found if one in named] == named
