"""ReNom's layers beside what they compute, in torch: a row for each, with the words of both sides.

`{w}`, `{v}` are the layer's first and second weight. Words that begin in capitals are drawn once.
"""

from __future__ import annotations

DIALECT = "renom"
ALONE = (
    "import renom as rm\nlayer = {0}\nlayer(x)\n"
    "note('w', [*getattr(layer, 'params', {{}}).values()])"
)
WORDS = {
    "O": (3, 1, 8), "K": (2, 1, 3), "L": (3, 2), "S": (1, 2, 3), "P": (0, 1), "D": (1, 2),
    "A": (0.1, 0.5),
}  # fmt: skip

IMAGES = (  # of ReNom, in torch, how many weights
    ("rm.Conv2d({O}, filter={K}, padding={P}, stride={S})",
     "F.conv2d(x, {w}.flip(2, 3), {v}.flatten(), {S}, {P})", 2),
    ("rm.Conv2d({O}, ({K}, {L}), padding=({P}, 1), stride=(1, {S}))",
     "F.conv2d(x, {w}.flip(2, 3), {v}.flatten(), (1, {S}), ({P}, 1))", 2),
    ("rm.Conv2d(channel={O}, filter={K}, dilation={D}, ignore_bias=True)",
     "F.conv2d(x, {w}.flip(2, 3), dilation={D})", 1),
    ("rm.Deconv2d({O}, filter={L}, padding={P}, stride={S})",
     "F.conv_transpose2d(x, {w}.flip(2, 3), {v}.flatten(), {S}, {P})", 2),
    ("rm.GroupConv2d(3, {K}, groups=3)",
     "F.conv2d(x, {w}.flip(2, 3), {v}.flatten(), groups=3)", 2),
    ("rm.BatchNormalize(mode='feature')",
     "F.batch_norm(x, None, None, {w}.flatten(), {v}.flatten(), True)", 2),
    ("rm.BatchNormalize()",
     "(x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt() * {w} + {v}", 2),
    ("rm.MaxPool2d({K}, padding={P}, stride={S})",
     "F.max_pool2d(F.pad(x, ({P},) * 4), {K}, {S})", 0),
    ("rm.AveragePool2d({K}, 0, {S})", "F.avg_pool2d(x, {K}, {S})", 0),
    ("rm.LayerNormalize()", "(x - x.mean((1, 2, 3), keepdim=True)) / "
     "(x.var((1, 2, 3), unbiased=False, keepdim=True) + 1e-5).sqrt() * {w} + {v}", 2),
    ("rm.SpatialDropout(0.0)", "x", 0),
    ("rm.Lrn()", "F.local_response_norm(x, 5, 5e-4, 0.75, 2.0)", 0),
)  # fmt: skip
ANYWHERE = (
    ("rm.Relu()", "F.relu(x)", 0),
    ("rm.LeakyRelu({A})", "F.leaky_relu(x, {A})", 0),
    ("rm.Elu({A})", "F.elu(x, {A})", 0),
    ("rm.Selu()", "F.selu(x)", 0),
    ("rm.Sigmoid()", "torch.sigmoid(x)", 0),
    ("rm.Tanh()", "torch.tanh(x)", 0),
    ("rm.Softplus()", "F.softplus(x)", 0),
    ("rm.Softsign()", "F.softsign(x)", 0),
    ("rm.Relu6()", "F.relu6(x)", 0),
    ("rm.Swish(1)", "F.silu(x)", 0),
    ("rm.Mish()", "F.mish(x)", 0),
    ("rm.HardTanh()", "F.hardtanh(x)", 0),
    ("rm.Dropout(0.0)", "x", 0),
)
VECTORS = (
    ("rm.Dense({O})", "x @ {w} + {v}", 2),
    ("rm.Dense(6, ignore_bias=True)", "x @ {w}", 1),
    ("rm.BatchNormalize()", "F.batch_norm(x, None, None, {w}.flatten(), {v}.flatten(), True)", 2),
    ("rm.Softmax()", "torch.softmax(x, 1)", 0),
    ("rm.WeightNormalize(4)", "x @ ({w} / {w}.norm(dim=0, keepdim=True)) * {v} + {u}", 3),
)
LAYERS = {4: IMAGES + ANYWHERE, 2: VECTORS + ANYWHERE}
FLAT = ("rm.Flatten()", "x.flatten(1)", 0)
LAST = ("rm.Dense(4)", "x @ {w} + {v}", 2)

LOSSES = (
    ("rm.softmax_cross_entropy(z, y)",
     "near(F.cross_entropy(z, y), -(y * torch.log(torch.softmax(z, 1) + 1e-8)).sum() / len(z))"),
    ("rm.sigmoid_cross_entropy(z, y)",
     "near(F.binary_cross_entropy_with_logits(z, y, reduction='sum') / len(z), "
     "-(y * (torch.sigmoid(z) + 1e-8).log() + (1 - y) * (1 - torch.sigmoid(z) + 1e-8).log()).sum() "
     "/ len(z))"),
    ("rm.mean_squared_error(z, y)", "((z - y) ** 2).sum() / (2 * len(z))"),
    ("rm.smoothed_l1(z, y)", "F.smooth_l1_loss(z, y, reduction='sum') / len(z)"),
    ("rm.sum(rm.square(z - y)) * 0.1", "((z - y) ** 2).sum() * 0.1"),
    ("rm.softmax_cross_entropy(z, y) + 0.01 * rm.sum(z * z)",
     "near(F.cross_entropy(z, y), -(y * torch.log(torch.softmax(z, 1) + 1e-8)).sum() / len(z)) "
     "+ 0.01 * (z * z).sum()"),
)  # fmt: skip
RULES = (
    ("rm.Sgd({A}, 0.0, False)", "torch.optim.SGD(w, {A})"),
    ("rm.Sgd(0.1, {A}, False)", "torch.optim.SGD(w, 0.1, momentum={A})"),
    ("rm.Adam(0.01, epsilon=1e-3)", "torch.optim.Adam(w, 0.01, eps=1e-3)"),
    ("rm.Rmsprop(0.01, epsilon=1e-3)", "torch.optim.RMSprop(w, 0.01, alpha=0.9, eps=1e-3)"),
    ("rm.Adagrad(0.01, epsilon=1e-3)", "torch.optim.Adagrad(w, 0.01, eps=1e-3)"),
)
STEPS = (
    ("loss.grad().update(rule)", "loss.backward(); rule.step()"),
    ("loss.grad(weight_decay=0.1).update(rule)",
     "(loss + 0.05 * sum(one.pow(2).sum() for one in decayed)).backward(); rule.step()"),
    ("slopes = loss.grad(); note('slopes', [slopes.get(one) for one in learned]); "
     "slopes.update(rule)",
     "loss.backward(); note('slopes', [one.grad for one in w]); rule.step()"),
    ("loss.grad().update()", "loss.backward(); [one.data.sub_(one.grad) for one in w]"),
)  # fmt: skip
STEP = """\
with net.train():
    z = net(x); loss = {loss}
note('out', z); note('loss', loss)
{step}
"""
BEGIN = """\
import numpy as np, renom as rm
rng = np.random.default_rng({seed}); np.random.seed({seed})
x = rng.normal(size={shape}).astype('float32')
y = np.eye(4, dtype='float32')[rng.integers(0, 4, {samples})]
net = rm.Sequential([{layers}])
net(x); rule = {rule}
learned = [one for part in net._layers for one in getattr(part, 'params', {{}}).values()]
note('weights', [np.array(one) for one in learned])
"""
END = "note('end', [np.array(one) for one in learned])\n"
