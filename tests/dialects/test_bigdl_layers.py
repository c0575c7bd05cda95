"""Rarer layers, criterions and words of BigDL, by numbers that are worked out here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from striate.dialects.bigdl.core import CORE
from striate.dialects.bigdl.core_functions import FUNCTIONS
from striate.dialects.bigdl.core_weights import WEIGHTED
from striate.dialects.bigdl.criterions import ROWS
from striate.dialects.bigdl.criterions_composed import COMPOSED
from striate.dialects.bigdl.keras_kinds import KERAS
from striate.dialects.bigdl.keras_weights import KERAS_WEIGHTED
from striate.dialects.bigdl.normalizing import NORMALIZING
from striate.dialects.bigdl.over_images import OVER_IMAGES
from striate.dialects.bigdl.tables import TABLES
from striate.dialects.program import run_script
from striate.dialects.table import DialectError

START = """
import numpy as np
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.util.common import *
def near(got, wanted):
    assert np.allclose(got, wanted, atol=1e-5), (got, wanted)
"""
PROGRAMS = {
    "tables of experts": """
gate, one, two = np.array([[0.25, 0.75]]), np.array([[4., 8.]]), np.array([[0., 4.]])
near(MixtureTable().forward([gate, [one, two]]), [[1., 5.]])
near(MixtureTable(2).forward([gate, np.stack([one, two], 1)]), [[1., 5.]])
first, second = BifurcateSplitTable(2).forward(np.array([[1., 2., 3.]]))
near(first, [[1., 2.]]), near(second, [[3.]])
near(FlattenTable().forward([one, [two, gate]])[2], gate)
""",
    "memory of images": """
x = np.random.rand(2, 3, 1, 4, 4)
net = Recurrent().add(ConvLSTMPeephole(1, 2, 3, 3))
assert net.forward(x).shape == (2, 3, 2, 4, 4)
plain = ConvLSTMPeephole(1, 1, 1, 1, with_peephole=False)
plain.set_weights(4 * [np.ones((1, 1, 1, 1, 1)), np.zeros(1), np.zeros((1, 1, 1, 1, 1))])
gate = 1 / (1 + np.exp(-1))  # x = 1: c = s(1) tanh(1), h = s(1) tanh(c)
near(plain.forward(np.ones((1, 1, 1, 1, 1))).item(), gate * np.tanh(gate * np.tanh(1)))
volumes = ConvLSTMPeephole3D(1, 2, 3, 3).forward(np.random.rand(1, 2, 1, 3, 3, 3))
assert volumes.shape == (1, 2, 2, 3, 3, 3)
cells = MultiRNNCell([LSTM(3, 4), LSTM(4, 5)])
assert Recurrent().add(cells).forward(np.random.rand(2, 6, 3)).shape == (2, 6, 5)
""",
    "other forms of a graph": """
begin = Input()
net = Model([begin], [Recurrent().add(LSTM(3, 4))(begin)])
net.set_input_formats([27]), net.set_output_formats([27])
assert net.to_irgraph().forward(np.ones((2, 5, 3))).shape == (2, 5, 4)
assert net.to_staticgraph() is net
""",
    "penalties on gradients": """
x = np.array([[0.5, 0.25]])
near(NegativeEntropyPenalty(0.1).backward(x, np.zeros((1, 2))), 0.1 * (np.log(x) + 1))
""",
    "distances by a sigma": """
one = SmoothL1CriterionWithWeights(2.0)  # sigma squared is 4: squares within 1 / 4
near(one.forward(np.array([[0.1, 1.]]), np.zeros((1, 2))), 0.5 * 4 * 0.01 + 1 - 0.5 / 4)
""",
    "names of the first releases": """
from bigdl.optim.optimizer import *
net = Sequential().add(Linear(1, 1, with_bias=False))
net.set_weights([np.array([[0.5]])])
data = (np.array([[1.]]), np.array([[2.]]))
job = Optimizer(net, data, MSECriterion(), MaxIteration(2), 1, "sgd",
                state={"learningRate": 0.1, "learningRateDecay": 1.0})
job.set_validation(batch_size=1, val_rdd=data, trigger=EveryEpoch(), val_method=["MAE"])
job.optimize()
w = 0.5 - 0.1 * 2 * (0.5 - 2)
near(net.get_weights()[0], [[w - 0.1 / 2 * 2 * (w - 2)]])
""",
    "a method that decays": """
from bigdl.optim.optimizer import *
net = Sequential().add(Linear(1, 1, with_bias=False))
net.set_weights([np.array([[0.5]])])
Optimizer.create(net, (np.array([[1.]]), np.array([[2.]])), MSECriterion(), MaxIteration(2), 1,
                 Adagrad(learningrate=0.1, weightdecay=0.1)).optimize()
g = 2 * (0.5 - 2) + 0.1 * 0.5
w = 0.5 - 0.1 * np.sign(g)
h = 2 * (w - 2) + 0.1 * w
near(net.get_weights()[0], [[w - 0.1 * h / np.sqrt(g * g + h * h)]])
""",
    "a larger image by weights": """
from bigdl.nn.initialization_method import BilinearFiller
layer = SpatialFullConvolution(1, 1, 4, 4, 2, 2, 1, 1, no_bias=True)
layer.set_init_method(BilinearFiller(), Zeros())
near(layer.get_weights()[0][0, 0, 0, 1], np.array([0.25, 0.75, 0.75, 0.25]) * 0.75)
""",
    "learned scales": """
x = np.array([[1., 2., 3.], [4., 5., 6.]])
scale, shift, both = CMul([1, 3]), CAdd([3]), Scale([1, 3])
w = scale.forward(np.ones((1, 3)))
near(scale.forward(x), x * w)
near(scale.get_weights()[0], w)
near(shift.forward(x) - x, np.tile(shift.get_weights()[0], (2, 1)))
near(both.forward(x), x * both.get_weights()[0] + both.get_weights()[1])
one = Mul()
near(one.forward(x), x * one.forward(np.ones((1, 1)))[0, 0])
cosine = Cosine(3, 1)
cosine.set_weights([np.array([[1., 0., 0.]])])
near(cosine.forward(x)[:, 0], x[:, 0] / np.sqrt((x ** 2).sum(1)))
far = Euclidean(3, 1)
far.set_weights([np.array([[1., 2., 0.]])])
near(far.forward(x)[:, 0], [3., np.sqrt(9 + 9 + 36)])
""",
    "weights before anything was computed": """
shapes = lambda layer: [one.shape for one in layer.get_weights()]
assert shapes(CAdd([9])) == [(9,)] and shapes(CMul([1, 9])) == [(1, 9)] and shapes(Mul()) == [(1,)]
assert shapes(Add(4)) == [(4,)] and shapes(Scale([1, 3])) == [(1, 3), (1, 3)]
assert shapes(PReLU()) == [(1,)] and shapes(PReLU(3)) == [(3,)] and len(shapes(SReLU([3, 4]))) == 4
assert shapes(TemporalConvolution(4, 3, 2)) == [(3, 8), (3,)]
assert shapes(VolumetricConvolution(1, 2, 2, 3, 4))[0] == (2, 1, 2, 4, 3)
assert len(shapes(SpatialSeparableConvolution(2, 4, 1, 2, 2))) == 3
net = Sequential().add(PReLU()).add(Linear(3, 2))
net.set_weights([np.array([0.5]), np.ones((2, 3)), np.zeros(2)])
near(net.forward(np.array([[1., -2., 1.]])), [[1., 1.]])
""",
    "weights of cells, known at once": """
cell = GRU(3, 4)
net = Sequential().add(Recurrent().add(cell)).add(Select(2, -1)).add(Linear(4, 2))
given = [np.random.rand(*one.shape).astype("float32") for one in net.get_weights()]
assert [one.shape for one in given] == [(12, 3), (12,), (8, 4), (4, 4), (2, 4), (2,)]
net.set_weights(given)
assert all((a == b).all() for a, b in zip(net.get_weights(), given))
found = net.parameters()
assert (found[cell.name()]["bias"] == given[1]).all()
assert (found[cell.name() + "_2"]["weight"] == given[3]).all()
simple = RnnCell(3, 4, Tanh())  # two biases, which learn both
before = simple.get_weights()
simple.backward(np.ones((2, 5, 3)), np.ones_like(simple.forward(np.ones((2, 5, 3)))))
simple.update_parameters(0.1)
into, within = (a - b for a, b in zip(before[1::2], simple.get_weights()[1::2]))
assert np.abs(into).min() > 0 and np.allclose(into, within, rtol=1e-4)
""",
    "layers on steps": """
inner = Linear(3, 2)
x = np.random.rand(4, 5, 3)
got = Bottle(inner, 2, 2).forward(x)
w, b = inner.get_weights()
near(got, x @ w.T + b)
""",
    "a layer drawn again": """
layer = Linear(30, 20)
before = layer.get_weights()[0]
layer.reset()
after = layer.get_weights()[0]
assert (after != before).mean() > 0.9 and np.abs(after).max() <= 1 / np.sqrt(30)
""",
    "criterions of a distribution": """
mean, spread = np.array([[1., 0.], [2., 1.]]), np.log(np.array([[1., 2.], [1., 1.]]))
divergence = 0.5 * (mean ** 2 + np.exp(spread) - 1 - spread)
near(KLDCriterion().forward([mean, spread], np.zeros(1)), divergence.sum() / 2)
near(KLDCriterion(False).forward([mean, spread], np.zeros(1)), divergence.sum())
near(KLDCriterion().backward([mean, spread], np.zeros(1))[0], mean / 2)
density = np.exp(-mean ** 2 / 2 / np.exp(spread)) / np.sqrt(2 * np.pi * np.exp(spread))
near(GaussianCriterion().forward([mean, spread], 0 * mean), -np.log(density).sum())
""",
    "reductions": """
x = np.arange(12.).reshape(2, 2, 3)
near(Max(2).forward(x), x.max(1))
near(Min(1, 2).forward(x), x.min(1))
near(Mean(3).forward(x), x.mean(2))
near(Sum(2, squeeze=False).forward(x), x.sum(1, keepdims=True))
near(Padding(1, 1, 2, 7.0).forward(x)[:, -1], np.full((2, 3), 7.))
near(Padding(1, -1, 2).forward(x)[:, 1:], x)
near(Normalize(2.0).forward(np.array([[3., 4.]])), [[.6, .8]])
near(Masking(0.0).forward(np.array([[[0., 0.], [1., 0.]]])), [[[0., 0.], [1., 0.]]])
near(SoftMin().forward(np.array([[0., np.log(3.)]])), [[.75, .25]])
near(HardShrink().forward(np.array([.3, -.7])), [0., -.7])
near(SoftShrink().forward(np.array([.3, -.7])), [0., -.2])
near(HardSigmoid().forward(np.array([0., 1., 9.])), [.5, .7, 1.])
""",
    "tables": """
a, b = np.ones((2, 2, 3)), np.ones((2, 3, 4))
near(MM().forward([a, b]), np.full((2, 2, 4), 3.))
near(MM(trans_b=True).forward([a, a]), np.full((2, 2, 2), 3.))
first, second = SplitTable(1, 2).forward(np.arange(12.).reshape(2, 2, 3))
near(first, [[0, 1, 2], [6, 7, 8]])
assert Pack(2).forward([np.ones((2, 3))] * 2).shape == (2, 2, 3)
near(PairwiseDistance().forward([np.array([[0., 0.]]), np.array([[3., 4.]])]), [[5.]])
near(CosineDistance().forward([np.array([[1., 0.]]), np.array([[1., 1.]])]), [[.5 ** .5]])
planes = [np.ones((2, 1, 4, 4)), np.ones((2, 3, 4, 4))]
for joined in (JoinTable(2, 4), JoinTable(1, 3), JoinTable(2, 0)):
    assert joined.forward(planes).shape == (2, 4, 4, 4)
""",
    "other ranks": """
assert TemporalConvolution(4, 3, 2).forward(np.ones((2, 5, 4))).shape == (2, 4, 3)
cubes = np.ones((1, 1, 3, 3, 3))
assert VolumetricConvolution(1, 2, 2, 2, 2).forward(cubes).shape == (1, 2, 2, 2, 2)
cube = np.arange(8.).reshape(1, 1, 2, 2, 2)
near(VolumetricMaxPooling(2, 2, 2, 2, 2, 2).forward(cube), [[[[[7.]]]]])
assert LocallyConnected2D(2, 6, 5, 3, 3, 3).forward(np.ones((4, 2, 5, 6))).shape == (4, 3, 3, 4)
assert SpatialUpSamplingNearest(2).forward(np.ones((1, 1, 2, 2))).shape == (1, 1, 4, 4)
""",
    "functions": """
x = np.array([[-2., -.5, .5, 2.]])
pos = np.abs(x)
near(Abs().forward(x), pos)
near(Negative().forward(x), -x)
near(Exp().forward(x), np.exp(x))
near(Log().forward(pos), np.log(pos))
near(Sqrt().forward(pos), np.sqrt(pos))
near(Square().forward(x), x ** 2)
near(SoftPlus().forward(x), np.log1p(np.exp(x)))
near(SoftSign().forward(x), x / (1 + pos))
near(LogSigmoid().forward(x), -np.log1p(np.exp(-x)))
near(TanhShrink().forward(x), x - np.tanh(x))
near(HardTanh().forward(x), x.clip(-1, 1))
near(ReLU6().forward(4 * x), (4 * x).clip(0, 6))
near(ELU(2.0).forward(x), np.where(x > 0, x, 2 * (np.exp(x) - 1)))
near(LeakyReLU(.1).forward(x), np.where(x > 0, x, .1 * x))
near(PReLU().forward(x), np.where(x > 0, x, .25 * x))
near(Threshold(1.0, 9.0).forward(x), [[9., 9., 9., 2.]])
near(BinaryThreshold().forward(x), [[0., 0., 1., 1.]])
near(Echo().forward(x), x)
near(Contiguous().forward(x), x)
near(Reverse(2).forward(x), x[:, ::-1])
near(Tile(2, 2).forward(x), np.concatenate([x, x], 1))
assert Replicate(3, 2).forward(np.ones((2, 4))).shape == (2, 3, 4)
bias = Add(4)
near(bias.forward(x) - x, bias.get_weights()[0][None])
""",
    "tables by number": """
a, b = np.array([[1., 6.]]), np.array([[4., 3.]])
for made, wanted in ((CSubTable(), a - b), (CDivTable(), a / b), (CMaxTable(), [[4., 6.]]),
                     (CMinTable(), [[1., 3.]]), (CAveTable(), (a + b) / 2),
                     (DotProduct(), [[22.]]), (SelectTable(2), b), (NarrowTable(2), b)):
    near(np.reshape(made.forward([a, b]), np.shape(wanted)), wanted)
near(FlattenTable().forward([a, b])[1], b)
near(MV().forward([np.ones((1, 3, 2)), a]), [[7., 7., 7.]])
""",
    "the rest by number": """
one, two = np.array([[1., 0.]]), np.array([[1., 1.]])
near(CosineEmbeddingCriterion().forward([one, two], [np.ones(1)]), 1 - .5 ** .5)
near(DiceCoefficientCriterion().forward(two, one), .25)
near(HingeEmbeddingCriterion().forward(np.array([.3, .3]), np.array([1., -1.])), .5)
near(L1HingeEmbeddingCriterion().forward([one, two], [np.ones(1)]), 1.)
flat = np.full((1, 1, 2, 2), 3.)
near(ResizeBilinear(4, 4).forward(flat), np.full((1, 1, 4, 4), 3.))
near(SpatialUpSamplingBilinear(2).forward(flat), np.full((1, 1, 4, 4), 3.))
near(SpatialWithinChannelLRN(1, 1.0, 1.0).forward(flat), flat / 10)
steps = np.array([[[1.], [3.], [2.], [5.]]])
near(TemporalMaxPooling(2).forward(steps), [[[3.], [5.]]])
near(VolumetricAveragePooling(2, 2, 2, 2, 2, 2).forward(np.arange(8.).reshape(1, 1, 2, 2, 2)), 3.5)
wide = VolumetricFullConvolution(1, 2, 2, 2, 2)
assert wide.forward(np.ones((1, 1, 3, 3, 3))).shape == (1, 2, 4, 4, 4)
apart = SpatialSeparableConvolution(3, 4, 1, 3, 3)
assert apart.forward(np.ones((1, 3, 5, 5))).shape == (1, 4, 3, 3)
assert Maxout(3, 2, 2).forward(np.ones((4, 3))).shape == (4, 2)
assert LocallyConnected1D(5, 4, 3, 2).forward(np.ones((2, 5, 4))).shape == (2, 4, 3)
""",
    "pooling that rounds up": """
x = np.arange(25.).reshape(1, 1, 5, 5)
assert SpatialMaxPooling(2, 2, 2, 2).forward(x).shape == (1, 1, 2, 2)
near(SpatialMaxPooling(2, 2, 2, 2).ceil().forward(x)[0, 0, 2], [21., 23., 24.])
assert SpatialMaxPooling(2, 2, 2, 2, to_ceil=True).floor().forward(x).shape == (1, 1, 2, 2)
assert not hasattr(Tanh(), "nothing_such")
""",
    "composed criterions": """
x, y = np.array([[1., 2.]]), np.array([[2., 4.]])
p = ParallelCriterion()
p.add(MSECriterion(), 0.5)
p.add(AbsCriterion())
near(p.forward([x, x], [y, y]), 0.5 * 2.5 + 1.5)
near(p.backward([x, x], [y, y])[1], [[-.5, -.5]])
m = MultiCriterion()
m.add(MSECriterion())
m.add(AbsCriterion(), 2.0)
near(m.forward(x, y), 2.5 + 3.)
logs = np.log(np.full((2, 3, 4), .25))
near(TimeDistributedCriterion(ClassNLLCriterion(), True).forward(logs, np.ones((2, 3))), np.log(4))
maps = np.zeros((1, 5, 2, 2))
near(SoftmaxWithCriterion().forward(maps, np.ones((1, 1, 2, 2))), np.log(5))
near(CosineDistanceCriterion().forward(x, y), 0.)
near(MarginRankingCriterion().forward([x[:, 0], x[:, 1]], [np.ones(1)]), 2.)
""",
    "Keras-style layers": """
from bigdl.nn.keras.topology import Sequential as Net
from bigdl.nn.keras.layer import *
m = Net()
m.add(LocallyConnected2D(4, 3, 3, input_shape=(2, 8, 8)))
m.add(SReLU())
m.add(ZeroPadding2D((1, 1)))
m.add(Cropping2D(((1, 1), (1, 1))))
m.add(GlobalAveragePooling2D())
m.add(Highway(activation="tanh"))
m.add(MaxoutDense(6, nb_feature=3))
m.add(Dense(3, activation="softmax"))
m.compile("adam", "categorical_crossentropy", ["accuracy"])
x, y = np.random.rand(16, 2, 8, 8), np.eye(3)[np.arange(16) % 3]
m.fit(x, y, batch_size=8, nb_epoch=1)
assert m.predict_local(x).shape == (16, 3)
steps = Net()
steps.add(TimeDistributed(Dense(3), input_shape=(5, 4)))
assert steps.forward(np.ones((2, 5, 4))).shape == (2, 5, 3)
deep = Net()
deep.add(ZeroPadding3D((1, 1, 1), input_shape=(1, 4, 4, 4)))
deep.add(Cropping3D(((1, 1), (1, 1), (1, 1))))
assert deep.get_output_shape() == (None, 1, 4, 4, 4)
""",
    "Keras under BigDL": """
from keras.models import Sequential as KerasNet
from keras.layers import Dense as KerasDense
from bigdl.keras.backend import with_bigdl_backend
k = KerasNet()
k.add(KerasDense(3, input_dim=4, activation="softmax"))
k.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])
before = k.get_weights()[0]
x, y = np.random.rand(16, 4), np.eye(3)[np.arange(16) % 3]
with_bigdl_backend(k).fit(x, y, batch_size=8, nb_epoch=1, is_distributed=False)
assert not np.allclose(before, k.get_weights()[0])
assert with_bigdl_backend(k).predict(x).shape == (16, 3)
""",
    "penalties on layers whose weights are of their own kind": """
from bigdl.optim.optimizer import *
x, zero = np.zeros((4, 3)), np.zeros((4, 3))
for layer, pull in ((CMul([3], wRegularizer=L2Regularizer(0.25)), 0),
                    (CAdd([3], bRegularizer=L2Regularizer(0.25)), 2 / 3)):  # the squared error's
    net = Sequential().add(layer)
    net.forward(x)
    before = net.get_weights()[0]
    Optimizer(net, (x, zero), MSECriterion(), MaxEpoch(1), 4, SGD(learningrate=1.0)).optimize()
    near(net.get_weights()[0], before * (1 - 0.25 - pull))
""",
    "a network is trained by criterions of several outputs": """
from bigdl.optim.optimizer import *
def net():
    return Sequential().add(ConcatTable().add(Linear(3, 2)).add(Linear(3, 4)))
one, other = net(), net()
other.set_weights(one.get_weights())
x, a, b = np.random.rand(6, 3), np.random.rand(6, 2), np.random.rand(6, 4)
both = ParallelCriterion()
both.add(MSECriterion(), 0.5).add(AbsCriterion(), 2.0)
rows = [Sample.from_ndarray(i, [j, k]) for i, j, k in zip(x, a, b)]
trained = Optimizer(one, SparkContext.getOrCreate().parallelize(rows), both, MaxEpoch(1), 6,
                    SGD(learningrate=0.3)).optimize()
other.backward(x, both.backward(other.forward(x), [a, b]))
other.update_parameters(0.3)
for mine, theirs in zip(one.get_weights(), other.get_weights()):
    near(mine, theirs)
begin = Input()
middle = Tanh()(Linear(3, 8)(begin))
parts = Model([begin], [Linear(8, 2)(middle), Linear(8, 2)(middle)])(begin)
whole = Model([begin], [parts, Sigmoid()(Linear(2, 3)(GaussianSampler()(parts)))])
costs = ParallelCriterion()
costs.add(KLDCriterion(), 0.1).add(BCECriterion(size_average=False), 1.0)
kept = TrainSummary("logs", "vae")
rows = [Sample.from_ndarray(i, [np.array(0.0), (i > 0.5) * 1.0]) for i in x]
train = Optimizer(whole, SparkContext.getOrCreate().parallelize(rows), costs, MaxEpoch(60), 6,
                  Adam(learningrate=0.05))
train.set_train_summary(kept)
train.optimize()
losses = np.array(kept.read_scalar("Loss"))[:, 1]
assert losses[-10:].mean() < 0.7 * losses[:10].mean(), losses
""",
    "a network is trained by criterions of classes that have no native loss": """
from bigdl.optim.optimizer import *
x, y = np.random.rand(6, 3), np.array([1., 2., 3., 1., 2., 3.])
for cost in (ClassNLLCriterion(weights=np.array([1., 4., 2.])), MultiMarginCriterion(),
             ClassNLLCriterion(size_average=False)):
    one, other = (Sequential().add(Linear(3, 3)).add(LogSoftMax()) for _ in range(2))
    other.set_weights(one.get_weights())
    train = Optimizer(one, (x, y), cost, MaxEpoch(1), 6, SGD(learningrate=0.3))
    train.set_checkpoint(EveryEpoch(), "kept", False)
    train.optimize()
    other.backward(x, cost.backward(other.forward(x), y))
    other.update_parameters(0.3)
    near(one.get_weights()[0], other.get_weights()[0])
near(Model.load("kept/model.1").forward(x), one.evaluate().forward(x))
""",
    "LBFGS takes several looks at a batch": """
from bigdl.optim.optimizer import *
x = np.random.rand(40, 2)
y = x.sum(1, keepdims=True) * 2 + 0.4
net = Sequential().add(Linear(2, 1))
kept = TrainSummary("logs", "lbfgs")
train = Optimizer(net, (x, y), MSECriterion(), MaxIteration(3), 40, LBFGS(max_iter=30))
train.set_train_summary(kept)
train.optimize()
near(np.round(net.get_weights()[0], 3), [[2.0, 2.0]])
near(np.round(net.get_weights()[1], 3), [0.4])
assert len(kept.read_scalar("Loss")) == 3
""",
    "what is saved again replaces what was": """
net = Sequential().add(Linear(2, 2))
net.forward(np.ones((1, 2)))
net.save("net.bigdl")
net.set_weights([w + 1 for w in net.get_weights()])
net.save("net.bigdl", True)
near(Model.load("net.bigdl").forward(np.ones((1, 2))), net.evaluate().forward(np.ones((1, 2))))
""",
    "LBFGS trains a classifier": """
from bigdl.optim.optimizer import *
x = np.random.randn(60, 2)
y = 1 + (x[:, 0] > x[:, 1])
net = Sequential().add(Linear(2, 2)).add(LogSoftMax())
Optimizer(net, (x, y), ClassNLLCriterion(), MaxIteration(2), 60, LBFGS(max_iter=10)).optimize()
assert np.mean(net.predict_class(x) == y) > 0.95
other = Sequential().add(Linear(2, 2))
criterion = CrossEntropyCriterion()
Optimizer(other, (x, y), criterion, MaxIteration(2), 60, LBFGS(max_iter=10)).optimize()
assert np.mean(other.predict_class(x) == y) > 0.95
""",
    "a network draws its weights again": """
net = Sequential().add(Linear(4, 3).set_init_method(Ones(), Zeros())).add(Linear(3, 2))
first = net.get_weights()
net.set_weights([w + 1 for w in first])
net.reset()
near(net.get_weights()[0], np.ones((3, 4)))
assert (net.get_weights()[2] != first[2]).all()
""",
    "more of Spark": """
from pyspark.sql import SparkSession
sc = SparkSession.builder.master("local[2]").appName("x").getOrCreate().sparkContext
r = sc.parallelize(range(100))
a, b = r.randomSplit([.8, .2], seed=1)
assert sorted(a.collect() + b.collect()) == list(range(100)) and a.count() > b.count()
pairs = sc.parallelize([("a", 1), ("b", 2), ("a", 3)])
assert pairs.reduceByKey(lambda x, y: x + y).collectAsMap() == {"a": 4, "b": 2}
assert pairs.keys().distinct().collect() == ["a", "b"] and r.max() == 99
from bigdl.models.lenet.lenet5 import build_model
assert build_model(10).forward(np.ones((2, 1, 28, 28))).shape == (2, 10)
""",
}

REFUSED = {
    "from pyspark.ml.tuning import CrossValidator": "pip install pyspark",
    "from bigdl.optim.optimizer import *\n"
    "Optimizer(None, None, None, None, 1, 'sdg')": "there is no method 'sdg'",
    "from bigdl.optim.optimizer import *\nx = (np.ones((1, 1)), np.ones((1, 1)))\n"
    "one = Optimizer(Sequential(), x, MSECriterion())\n"
    "one.set_validation(1, x, EveryEpoch(), ['Top2'])": "need  one of Top1Accuracy, Top5Accuracy",
    "SpatialConvolutionMap(3)": "SpatialConvolution, with n_group",
    "Model.load_torch('x.t7')": "files of Torch 7 are not read here",
    "Model.load_caffe('x', 'y')": "files of Caffe are not read here",
    "from zoo.pipeline.api.net import Net": "zoo.pipeline.api.keras on arrays",
    "from bigdl.dllib.keras.layers import Dense": "bigdl.nn.keras.topology",
    "Linear(2, 2).set_weight([1])": 'did you mean "set_weights"?',
    "Linear(2, 2).ceil()": "BigDL 0.7 Linear: has no method 'ceil' here",
    "from bigdl.optim.optimizer import *\nc = ParallelCriterion()\n"
    "c.add(MSECriterion()).add(MSECriterion())\n"
    "Optimizer(Sequential().add(Linear(2, 2)), (np.ones((2, 2)), [np.ones((2, 2))] * 2), c)"
    ".optimize()": "the network has another number of outputs than it compares",
    "from bigdl.optim.optimizer import *\n"
    "net = Sequential().add(ConcatTable().add(Linear(2, 1)).add(Linear(2, 1)))\n"
    "Optimizer(net, (np.ones((2, 2)), np.ones((2, 5))), KLDCriterion())"
    ".optimize()": "the targets have more values than the outputs",
}


def _run(text: str, folder: Path) -> None:
    script = folder / "program.py"
    script.write_text(START + text, encoding="utf-8")
    run_script(script, seed=0, root=folder / "runs")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_asserts_the_numbers_of_bigdl(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert re.search(r"\b(near\(|assert )", PROGRAMS[name])  # it is the program that compares
    _run(PROGRAMS[name], tmp_path)


@pytest.mark.parametrize("line", REFUSED)
def test_what_is_not_served_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DialectError) as error:
        _run(line, tmp_path)
    assert REFUSED[line] in str(error.value)


def test_every_row_is_run_in_these_tests() -> None:
    files = Path(__file__).parent.glob("test_bigdl*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    text += (Path(__file__).parents[1] / "golden/bigdl_real.json").read_text(encoding="utf-8")
    tables = (CORE, FUNCTIONS, WEIGHTED, NORMALIZING, OVER_IMAGES, TABLES, KERAS, KERAS_WEIGHTED,
              ROWS)  # fmt: skip
    rows = {name for table in tables for name in table} | {one.__name__ for one in COMPOSED}
    assert not {name for name in rows if not re.search(rf"\b{name}\b", text)}
