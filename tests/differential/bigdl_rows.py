"""BigDL's layers beside what they compute, in torch: a row for each, words as in `renom_rows`."""

from __future__ import annotations

DIALECT = "bigdl"
ALONE = (
    "from bigdl.nn.layer import *\nlayer = {0}\nlayer.forward(x)\n"
    "note('w', layer.get_weights() or [])"
)
WORDS = {
    "O": (4, 2, 8), "K": (3, 1, 2), "L": (2, 3), "S": (1, 2), "T": (1, 2), "P": (0, 1), "Q": (0, 1),
    "A": (0.1, 0.5), "C": (False, True),
}  # fmt: skip

IMAGES = (
    ("SpatialConvolution({c}, {O}, {K}, {L}, {S}, {T}, {P}, {Q})",
     "F.conv2d(x, {w}.flatten(0, 1), {v}, ({T}, {S}), ({Q}, {P}))", 2),
    ("SpatialConvolution({c}, {O}, {K}, {K}, with_bias=False)",
     "F.conv2d(x, {w}.flatten(0, 1))", 1),
    ("SpatialConvolution({c}, 2 * {c}, {K}, {K}, n_group={c})",
     "F.conv2d(x, {w}.flatten(0, 1), {v}, groups={c})", 2),
    ("SpatialDilatedConvolution({c}, {O}, {K}, {L}, 1, {T}, {P}, {Q}, 1, 2)",
     "F.conv2d(x, {w}.reshape({O}, {c}, {L}, {K}), {v}, ({T}, 1), ({Q}, {P}), (2, 1))", 2),
    ("SpatialFullConvolution({c}, {O}, {K}, {L}, {S}, {T})",
     "F.conv_transpose2d(x, {w}.reshape({c}, {O}, {L}, {K}), {v}, ({T}, {S}))", 2),
    ("SpatialMaxPooling({K}, {L}, {S}, {T}, to_ceil={C})",
     "F.max_pool2d(x, ({L}, {K}), ({T}, {S}), ceil_mode={C})", 0),
    ("SpatialMaxPooling(2, 3, {S}, {T}, {P}, {Q})",
     "F.max_pool2d(x, (3, 2), ({T}, {S}), ({Q}, {P}))", 0),
    ("SpatialAveragePooling({K}, {L}, {S}, {T})", "F.avg_pool2d(x, ({L}, {K}), ({T}, {S}))", 0),
    ("SpatialAveragePooling(2, 2, 2, 2, 1, 1, count_include_pad={C})",
     "F.avg_pool2d(x, 2, 2, 1, count_include_pad={C})", 0),
    ("SpatialBatchNormalization({c})", "F.batch_norm(x, None, None, {w}, {v}, True)", 2),
    ("SpatialBatchNormalization({c}, {A}, affine=False)",
     "F.batch_norm(x, None, None, None, None, True, eps={A})", 0),
    ("SpatialCrossMapLRN(3, {A}, 0.75, 1.0)", "F.local_response_norm(x, 3, {A}, 0.75, 1.0)", 0),
    ("SpatialZeroPadding({K}, {L}, {P}, {Q})", "F.pad(x, ({K}, {L}, {P}, {Q}))", 0),
    ("SpatialUpSamplingNearest(2)", "F.interpolate(x, scale_factor=2)", 0),
    ("Concat(2).add(SpatialConvolution({c}, {O}, 1, 1)).add(Identity())",
     "torch.cat([F.conv2d(x, {w}.flatten(0, 1), {v}), x], 1)", 2),
    ("Sequential().add(ConcatTable().add(SpatialConvolution({c}, {c}, 3, 3, 1, 1, 1, 1))"
     ".add(Identity())).add(CAddTable())",
     "F.conv2d(x, {w}.flatten(0, 1), {v}, padding=1) + x", 2),
    ("Transpose([(2, 3)])", "x.transpose(1, 2)", 0),
    ("Narrow(3, 2, 2)", "x[:, :, 1:3]", 0),
)  # fmt: skip
ANYWHERE = (
    ("ReLU({C})", "F.relu(x)", 0),
    ("ReLU6()", "F.relu6(x)", 0),
    ("Tanh()", "torch.tanh(x)", 0),
    ("Sigmoid()", "torch.sigmoid(x)", 0),
    ("ELU({A})", "F.elu(x, {A})", 0),
    ("LeakyReLU({A})", "F.leaky_relu(x, {A})", 0),
    ("SoftPlus()", "F.softplus(x)", 0),
    ("SoftSign()", "F.softsign(x)", 0),
    ("HardTanh(-{A}, 1.0)", "F.hardtanh(x, -{A}, 1.0)", 0),
    ("Threshold({A}, 0.2)", "F.threshold(x, {A}, 0.2)", 0),
    ("Clamp(-1, 1)", "x.clamp(-1, 1)", 0),
    ("Abs()", "x.abs()", 0),
    ("Square()", "x ** 2", 0),
    ("MulConstant({A})", "x * {A}", 0),
    ("AddConstant({A})", "x + {A}", 0),
    ("Power(2.0, {A}, 1.0)", "({A} * x + 1) ** 2", 0),
    ("Dropout(0.0)", "x", 0),
    ("PReLU()", "F.prelu(x, {w}.flatten())", 1),
    ("Mul()", "x * {w}", 1),
)
VECTORS = (
    ("Linear({c}, {O})", "F.linear(x, {w}, {v})", 2),
    ("Linear({c}, 6, with_bias=False)", "F.linear(x, {w})", 1),
    ("BatchNormalization({c})", "F.batch_norm(x, None, None, {w}, {v}, True)", 2),
    ("SoftMax()", "torch.softmax(x, 1)", 0),
    ("CMul([1, {c}])", "x * {w}", 1),
    ("CAdd([{c}])", "x + {w}", 1),
    ("Normalize(2.0)", "F.normalize(x, eps=1e-10)", 0),
)  # fmt: skip
LAYERS = {4: IMAGES + ANYWHERE, 2: VECTORS + ANYWHERE}
FLAT = ("InferReshape([-1, {size}])", "x.flatten(1)", 0)
LAST = ("Linear({c}, 4)", "F.linear(x, {w}, {v})", 2)

LOSSES = (
    ("CrossEntropyCriterion()", "F.cross_entropy(z, label)"),
    ("MSECriterion()", "F.mse_loss(z, y)"),
    ("AbsCriterion()", "F.l1_loss(z, y)"),
    ("SmoothL1Criterion()", "F.smooth_l1_loss(z, y)"),
    ("MultiMarginCriterion()", "F.multi_margin_loss(z, label)"),
    ("CrossEntropyCriterion(size_average=False)", "F.cross_entropy(z, label, reduction='sum')"),
)
RULES = (("None", "torch.optim.SGD(w, 0.05)"),)
STEPS = (("net.update_parameters(0.05)", "loss.backward(); rule.step()"),)
STEP = """\
net.zero_grad_parameters(); z = net.forward(x)
note('out', z); note('loss', np.float32(loss.forward(z, target)))
net.backward(x, loss.backward(z, target))
{step}
"""
BEGIN = """\
import numpy as np
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
rng = np.random.default_rng({seed})
x = rng.normal(size={shape}).astype('float32')
label = rng.integers(0, 4, {samples}); y = np.eye(4, dtype='float32')[label]
net = Sequential()
for part in [{layers}]: net.add(part)
loss = {loss}; target = label + 1.0 if {labels} else y
rule = {rule}
note('weights', net.get_weights())
"""
END = "note('end', net.get_weights())\n"
