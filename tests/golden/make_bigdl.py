"""Writes bigdl_real.json: what layers and criterions of the real BigDL give, and their gradients.

Run with BigDL 0.13.0 of PyPI, pyspark 2.4.8 and Java 17 in an environment of their own:
`JDK_JAVA_OPTIONS="--add-opens=java.base/java.nio=ALL-UNNAMED ..." python make_bigdl.py`. pyspark
2.4 needs py4j 0.10.9.7 and the cloudpickle of today to work with Python 3.11.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

IMAGE, MAPS, WIDE = [2, 2, 4, 5], [2, 4, 5, 2], [2, 4, 3, 3]
FLAT, STEPS, CUBE = [2, 4], [2, 5, 3], [1, 2, 3, 4, 4]
PAIR = [[2, 4], [2, 4]]
LAYERS = [
    ("SpatialConvolution(4, 6, 3, 2, 1, 2, 1, 0, 2)", WIDE),
    ("SpatialConvolution(2, 3, 3, 3, data_format='NHWC')", MAPS),
    ("SpatialConvolution(2, 3, 3, 3, 2, 2, -1, -1)", IMAGE),
    ("SpatialDilatedConvolution(2, 3, 2, 2, 1, 1, 0, 0, 2, 2)", IMAGE),
    ("SpatialFullConvolution(2, 3, 3, 2, 2, 2, 1, 0, 1, 1)", IMAGE),
    ("SpatialFullConvolution(4, 6, 3, 3, 2, 2, 1, 1, 0, 0, 2)", WIDE),
    ("SpatialMaxPooling(3, 3, 2, 2, -1, -1)", IMAGE),
    ("SpatialMaxPooling(2, 2, 2, 2, format='NHWC')", MAPS),
    ("SpatialAveragePooling(3, 3, 2, 2, -1, -1)", IMAGE),
    ("SpatialAveragePooling(3, 3, 2, 2, -1, -1, count_include_pad=False)", IMAGE),
    ("SpatialAveragePooling(3, 3, 2, 2, 1, 1, ceil_mode=True, count_include_pad=False)", IMAGE),
    ("SpatialAveragePooling(2, 2, 2, 2, format='NHWC')", MAPS),
    ("SpatialAveragePooling(1, 1, global_pooling=True, format='NHWC')", MAPS),
    ("SpatialAveragePooling(3, 2, divide=False)", IMAGE),
    ("SpatialBatchNormalization(2)", IMAGE),
    ("SpatialBatchNormalization(2, data_format='NHWC')", MAPS),
    ("SpatialCrossMapLRN(3, 0.5, 0.75, 2.0, 'NHWC')", MAPS),
    ("SpatialWithinChannelLRN(3, 1.0, 0.75)", IMAGE),
    ("SpatialSubtractiveNormalization(2, np.outer([1., 2., 1.], [1., 2., 1.]))", IMAGE),
    ("SpatialDivisiveNormalization(2, np.ones((3, 3)))", IMAGE),
    ("SpatialContrastiveNormalization(2, np.ones((3, 3)))", IMAGE),
    ("SpatialSeparableConvolution(2, 3, 2, 3, 3, 1, 1, -1, -1)", IMAGE),
    ("SpatialZeroPadding(-1, 1, 0, -1)", IMAGE),
    ("Cropping2D([1, 1], [1, 0])", IMAGE),
    ("Cropping2D([1, 1], [1, 1], 'NHWC')", MAPS),
    ("Cropping3D([1, 0], [0, 1], [1, 0])", CUBE),
    ("UpSampling2D([2, 1], 'NHWC')", MAPS),
    ("ResizeBilinear(7, 3)", IMAGE),
    ("ResizeBilinear(7, 3, True)", IMAGE),
    ("ResizeBilinear(3, 7, False, 'NHWC')", MAPS),
    ("LocallyConnected2D(2, 5, 4, 2, 2, 3)", IMAGE),
    ("LocallyConnected2D(2, 5, 4, 2, 2, 3, data_format='NHWC')", MAPS),
    ("TemporalConvolution(3, 2, 2)", STEPS),
    ("TemporalMaxPooling(2)", STEPS),
    ("VolumetricConvolution(2, 2, 2, 1, 3, 1, 2, 1, 0, 1, 1)", CUBE),
    ("VolumetricAveragePooling(2, 2, 2, 2, 2, 2, 1, 1, 1, False)", CUBE),
    ("VolumetricAveragePooling(2, 3, 2, 2, 2, 2, ceil_mode=True)", CUBE),
    ("SoftMax()", STEPS), ("SoftMax()", IMAGE), ("SoftMin()", STEPS), ("LogSoftMax()", FLAT),
    ("SReLU((4,))", FLAT), ("Highway(4)", FLAT), ("Highway(4, activation=Tanh())", FLAT),
    ("Maxout(4, 3, 2)", FLAT), ("Cosine(4, 3)", FLAT), ("Euclidean(4, 3)", FLAT),
    ("Bottle(Linear(3, 2))", STEPS), ("TimeDistributed(Linear(3, 2))", STEPS),
    ("LayerNormalization(3)", STEPS),
    ("Normalize(3.0, 1e-2)", FLAT), ("Normalize(1.0)", FLAT),
    ("Unsqueeze(2)", STEPS), ("Unsqueeze(1, 2)", STEPS), ("Squeeze(3)", [2, 3, 1, 2]),
    ("Transpose([(2, 3)])", STEPS), ("Narrow(-1, 2, 2)", STEPS), ("Narrow(2, 2, -2)", STEPS),
    ("Select(-1, 1)", STEPS), ("Select(2, -2)", STEPS), ("Sum(2)", STEPS), ("Sum(1, 2)", STEPS),
    ("Sum(2, 2, True)", STEPS), ("Sum(2, squeeze=False)", STEPS), ("Mean(2)", STEPS),
    ("Mean(1, 2)", STEPS), ("Max(1, 2)", STEPS), ("Min(2, 2)", STEPS),
    ("Replicate(3, 2)", FLAT), ("Replicate(3, 1, 1)", FLAT),
    ("Reverse(2)", STEPS), ("ExpandSize([2, 3, 4])", [2, 1, 4]),
    ("BinaryThreshold(0.2)", FLAT), ("GradientReversal(0.5)", FLAT), ("L1Penalty(2)", FLAT),
    ("L1Penalty(2, True, False)", FLAT), ("ActivityRegularization(0.1, 0.2)", FLAT),
    ("Bilinear(4, 4, 2)", PAIR), ("CrossProduct()", [*PAIR, [2, 4]]), ("DotProduct()", PAIR),
    ("CosineDistance()", PAIR), ("PairwiseDistance(1)", PAIR), ("BifurcateSplitTable(2)", FLAT),
    ("JoinTable(1, 1)", PAIR), ("JoinTable(2, 2)", PAIR), ("SplitTable(1, 2)", STEPS),
    ("CDivTable()", PAIR), ("MM(False, True)", [[2, 2, 3], [2, 4, 3]]),
    ("TableOperation(CMulTable())", [[2, 3, 4], [2, 1, 1]]),
    ("Recurrent().add(LSTM(3, 2))", STEPS), ("Recurrent().add(GRU(3, 2))", STEPS),
    ("Recurrent().add(RnnCell(3, 2, Tanh()))", STEPS),
    ("Recurrent().add(RnnCell(3, 2, ReLU(), False, False))", STEPS),
    ("Recurrent().add(LSTMPeephole(3, 2))", STEPS),
    ("BiRecurrent(CAddTable()).add(LSTM(3, 2))", STEPS),
    ("BiRecurrent(JoinTable(3, 0)).add(GRU(3, 2))", STEPS),
    ("Recurrent().add(ConvLSTMPeephole(2, 2, 3, 3, 1))", [1, 3, 2, 3, 3]),
    ("Recurrent().add(ConvLSTMPeephole(2, 2, 3, 3, 1, with_peephole=False))", [1, 3, 2, 3, 3]),
    ("Recurrent().add(ConvLSTMPeephole3D(1, 2, 1, 3, 1))", [1, 2, 1, 2, 3, 3]),
]  # fmt: skip
KERAS = [
    ("Convolution2D(3, 3, 2, dim_ordering='tf', ", [4, 5, 2]), ("Convolution1D(4, 3, ", [5, 3]),
    ("Convolution1D(2, 3, border_mode='same', subsample_length=2, ", [5, 3]),
    ("Convolution3D(2, 2, 2, 2, subsample=(1, 2, 2), border_mode='same', ", [2, 3, 4, 4]),
    ("AtrousConvolution2D(3, 2, 2, 'glorot_uniform', None, 'valid', (1, 1), (2, 2), ", [2, 4, 5]),
    ("AtrousConvolution1D(3, 2, atrous_rate=2, ", [5, 3]),
    ("SeparableConvolution2D(3, 2, 2, depth_multiplier=2, ", [2, 4, 5]),
    ("SeparableConvolution2D(3, 2, 2, dim_ordering='tf', ", [4, 5, 2]),
    ("Deconvolution2D(3, 3, 2, None, subsample=(2, 2), ", [2, 3, 3]),
    ("LocallyConnected2D(2, 3, 2, ", [2, 4, 5]), ("LocallyConnected1D(2, 3, ", [5, 3]),
    ("Highway(", [4]), ("MaxoutDense(3, ", [4]), ("MaxoutDense(3, 2, bias=False, ", [4]),
    ("AveragePooling2D((3, 3), (2, 2), 'same', ", [2, 4, 5]),
    ("LSTM(2, ", [5, 3]), ("GRU(2, return_sequences=True, ", [5, 3]), ("SimpleRNN(2, ", [5, 3]),
    ("ConvLSTM2D(2, 3, 3, ", [3, 2, 3, 3]),
    ("Bidirectional(LSTM(2, return_sequences=True), ", [5, 3]),
    ("Bidirectional(SimpleRNN(2, return_sequences=True), 'sum', ", [5, 3]),
]  # fmt: skip
MIXED = np.sin(np.arange(12) * 12.9898 + 0.2).reshape(3, 4)
SHARES = np.exp(MIXED) / np.exp(MIXED).sum(1, keepdims=True)
ONES = np.eye(4)[[0, 2, 1]]
SIGNS = np.where(MIXED[::-1] > 0, 1.0, -1.0)
LABELS, WEIGHTS = np.array([1.0, 3.0, 2.0]), "np.array([0.5, 1.0, 2.0, 1.5])"
SEVERAL = np.array([[1.0, 3, 0, 0], [2, 4, 1, 0], [4, 0, 0, 0]])
CRITERIONS = [
    (f"ClassNLLCriterion({WEIGHTS})", np.log(SHARES), LABELS),
    (f"CrossEntropyCriterion({WEIGHTS}, False)", MIXED, LABELS),
    (f"MultiMarginCriterion(2, {WEIGHTS}, 0.7)", MIXED, LABELS),
    (f"MultiLabelSoftMarginCriterion({WEIGHTS})", MIXED, ONES),
    ("MultiLabelMarginCriterion()", MIXED, SEVERAL),
    ("MultiLabelMarginCriterion(False)", MIXED, SEVERAL),
    ("DiceCoefficientCriterion(False)", SHARES, ONES), ("DiceCoefficientCriterion()", SHARES, ONES),
    ("CosineDistanceCriterion(False)", MIXED, MIXED[::-1].copy()),
    ("CategoricalCrossEntropy()", SHARES * np.array([[1.0], [2.0], [0.5]]), ONES),
    ("L1HingeEmbeddingCriterion()", [MIXED, np.roll(MIXED, 1)], np.array([1.0])),
    ("ClassSimplexCriterion(4)", MIXED, LABELS),
    ("DotProductCriterion()", MIXED, SIGNS), ("DotProductCriterion(True)", MIXED, SIGNS),
    ("PGCriterion()", SHARES, 2 * ONES), ("TransformerCriterion(MSECriterion())", MIXED, SIGNS),
    ("TimeDistributedMaskCriterion(ClassNLLCriterion(), -1)",
     np.log(np.stack([SHARES, SHARES[::-1]])), np.array([[1.0, 3, -1], [2, -1, -1]])),
    ("MarginCriterion(0.5, True, True)", MIXED, SIGNS),
    ("KullbackLeiblerDivergenceCriterion()", SHARES, SHARES[::-1].copy()),
]  # fmt: skip


def numbers(shape, phase=0.3):
    """Return the same numbers as the test, none of them 0."""
    return np.sin(np.arange(int(np.prod(shape))) * 12.9898 + phase).reshape(shape).astype("float32")


def inputs(shape):
    """Return a value, or a table of them."""
    if isinstance(shape[0], list):
        return [numbers(one, at + 0.5) for at, one in enumerate(shape)]
    return numbers(shape)


def slopes(out):
    """Return a gradient for each output."""
    if isinstance(out, list):
        return [numbers(one.shape, at + 0.7) for at, one in enumerate(out)]
    return numbers(out.shape, 0.7)


def written(value):
    """Return numbers as lists of six digits, with their shapes."""
    if isinstance(value, (list, tuple)):
        return [written(one) for one in value]
    array = np.asarray(value)
    return {"shape": list(array.shape), "values": [float(f"{v:.6g}") for v in array.ravel()]}


def layer_case(layer, shape):
    """Return what a layer with known weights gives, and the gradient of its input."""
    weights = layer.get_weights() or []
    if weights:
        layer.set_weights([numbers(w.shape, at) * 0.5 for at, w in enumerate(weights)])
    x = inputs(shape)
    out = layer.forward(x)
    back = layer.backward(x, slopes(out))
    return {"shape": shape, "weights": [list(w.shape) for w in weights],
            "out": written(out), "back": written(back)}  # fmt: skip


def main():
    """Compute all cases with the real package and write them."""
    from bigdl.nn import criterion, layer
    from bigdl.nn.keras import layer as keras, topology
    from bigdl.util.common import create_spark_conf, init_engine
    from pyspark import SparkContext

    SparkContext.getOrCreate(create_spark_conf().setMaster("local[1]"))
    init_engine()
    found = {"made_with": "BigDL 0.13.0, pyspark 2.4.8", "core": {}, "keras": {}, "criterion": {}}
    for text, shape in LAYERS:
        key = f"{text} {shape}"
        found["core"][key] = {
            "text": text,
            **layer_case(eval(text, {**vars(layer), "np": np}), shape),
        }
    for text, shape in KERAS:
        whole = f"{text}input_shape={tuple(shape)})"
        network = topology.Sequential()
        network.add(eval(whole, vars(keras)))
        found["keras"][whole] = {"text": whole, **layer_case(network, [2, *shape])}
    for text, x, y in CRITERIONS:
        made = eval(text, {**vars(criterion), "np": np})
        given = [np.asarray(one, "float32") for one in x] if isinstance(x, list) else x
        found["criterion"][text] = {
            "text": text, "x": written(x), "y": written(y), "out": float(made.forward(given, y)),
            "back": written(made.backward(given, y)),
        }  # fmt: skip
    rows = []
    for api in ("core", "keras", "criterion"):
        cases = [f"{json.dumps(key)}: {json.dumps(case)}" for key, case in found[api].items()]
        rows.append(f'"{api}": {{\n' + ",\n".join(cases) + "}")
    text = "{" + f'"made_with": {json.dumps(found["made_with"])},\n' + ",\n".join(rows) + "}\n"
    Path(__file__).with_name("bigdl_real.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
