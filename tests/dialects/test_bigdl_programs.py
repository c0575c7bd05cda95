"""Small BigDL programs, run as a person would run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from striate.dialects.program import run_script

SPARK = """
from bigdl.util.common import *
sc = SparkContext.getOrCreate(create_spark_conf().setMaster("local[2]").set("spark.cores", "2"))
init_engine()
"""
DIGITS = """
from bigdl.dataset import mnist
from bigdl.dataset.transformer import normalizer
def digits(part, count):
    images, labels = mnist.read_data_sets("here", part)
    images, labels = sc.parallelize(images[:count]), sc.parallelize(labels[:count] + 1)
    return images.zip(labels).map(lambda pair: Sample.from_ndarray(
        normalizer(pair[0], mnist.TRAIN_MEAN, mnist.TRAIN_STD), pair[1]))
"""

PROGRAMS = {
    "tutorial 000": """
from __future__ import print_function
import numpy as np
from bigdl.nn.keras.topology import Sequential
from bigdl.nn.keras.layer import *
from bigdl.dataset import mnist
from bigdl.util.common import *
from bigdl.nn.criterion import *

def out(layer, shape):
    net = Sequential()
    net.add(layer)
    return net.forward(np.random.random([2] + list(shape)))

image = (1, 28, 28)
conv = Convolution2D(20, 3, 3, activation="relu", input_shape=image)
assert out(conv, image).shape == (2, 20, 26, 26)
assert out(MaxPooling2D(input_shape=image), image).shape == (2, 1, 14, 14)
assert out(Flatten(input_shape=(2, 2, 3)), (2, 2, 3)).shape == (2, 12)

(x_train, y_train), (x_test, y_test) = mnist.load_data("datasets/mnist")
assert [a.shape for a in (x_train, x_test, y_train, y_test)] == [
    (60000, 28, 28, 1), (10000, 28, 28, 1), (60000,), (10000,)]
net = Sequential()
net.add(Reshape((1, 28, 28), input_shape=(28, 28, 1)))
net.add(Convolution2D(20, 3, 3, activation="relu", input_shape=(1, 28, 28)))
net.add(MaxPooling2D())
net.add(Convolution2D(50, 3, 3, activation="relu", name="conv2_5x5"))
net.add(MaxPooling2D())
net.add(Flatten())
net.add(Dense(512, activation="relu", name="fc1"))
net.add(Dense(10, activation="softmax", name="fc2"))
assert net.get_input_shape() == (None, 28, 28, 1)
assert net.get_output_shape() == (None, 10)
net.compile(loss='sparse_categorical_crossentropy', optimizer='sgd', metrics=['accuracy'])
net.fit(x_train, y_train, batch_size=8, nb_epoch=1, validation_data=(x_test, y_test))
assert "conv2_5x5" in net.parameters()
""",
    "LeNet over an RDD": SPARK + DIGITS + """
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.optim.optimizer import *
def lenet(classes):
    net = Sequential()
    net.add(Reshape([1, 28, 28]))
    net.add(SpatialConvolution(1, 6, 5, 5).set_name('conv1'))
    net.add(Tanh())
    net.add(SpatialMaxPooling(2, 2, 2, 2))
    net.add(SpatialConvolution(6, 12, 5, 5).set_name('conv2'))
    net.add(Tanh())
    net.add(SpatialMaxPooling(2, 2, 2, 2))
    net.add(Reshape([12 * 4 * 4]))
    net.add(Linear(12 * 4 * 4, 100).set_name('fc1'))
    net.add(Tanh())
    net.add(Linear(100, classes).set_name('score'))
    net.add(LogSoftMax())
    return net
train, test = digits("train", 1000), digits("test", 200)
optimizer = Optimizer(model=lenet(10), training_rdd=train, criterion=ClassNLLCriterion(),
                      optim_method=SGD(learningrate=0.4, learningrate_decay=0.0002),
                      end_trigger=MaxEpoch(2), batch_size=64)
optimizer.set_validation(batch_size=64, val_rdd=test, trigger=EveryEpoch(),
                         val_method=[Top1Accuracy(), Loss()])
import datetime as dt
summary = TrainSummary(log_dir='logs', app_name='lenet-' + dt.datetime.now().strftime("%Y%m%d"))
summary.set_summary_trigger("Parameters", SeveralIteration(50))
val_summary = ValidationSummary(log_dir='logs', app_name='lenet')
optimizer.set_train_summary(summary)
optimizer.set_val_summary(val_summary)
trained = optimizer.optimize()
loss = np.array(summary.read_scalar("Loss"))
assert loss[:, 0].tolist() == list(range(1, 33)) and loss[-5:, 1].mean() < loss[:5, 1].mean()
top1 = np.array(val_summary.read_scalar("Top1Accuracy"))
assert top1.shape == (2, 3) and top1[-1, 1] > 0.6
params = trained.parameters()
assert params['conv1']['weight'].shape == (1, 6, 1, 5, 5)
assert params['fc1']['weight'].shape == (100, 192)
guessed = [int(p.argmax()) + 1 for p in trained.predict(test).take(200)]
truth = [int(s.label.to_ndarray()[0]) for s in test.take(200)]
assert abs(np.mean(np.equal(guessed, truth)) - top1[-1, 1]) < 1e-6
assert guessed == trained.predict_class(test).collect()
""",
    "options and LeNet's helpers": """
from optparse import OptionParser
from bigdl.models.lenet.utils import *
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.optim.optimizer import *
parser = OptionParser()
parser.add_option("-b", "--batchSize", type=int, dest="batchSize", default="128")
parser.add_option("-o", "--optimizer", dest="endTriggerType", default="iteration")
parser.add_option("-n", "--endTriggerNum", type=int, dest="endTriggerNum", default="8")
parser.add_option("-d", "--dataPath", dest="dataPath", default="mnist")
parser.add_option("-c", "--checkpointPath", dest="checkpointPath", default="kept")
(options, args) = parser.parse_args(sys.argv)
sc = SparkContext(appName="lenet", conf=SparkConf())
train, test = preprocess_mnist(sc, options)
train = sc.parallelize(train.take(256))
test = sc.parallelize(test.take(64))
net = Sequential().add(View([784])).add(Linear(784, 10)).add(LogSoftMax())
optimizer = Optimizer(net, train, ClassNLLCriterion(), get_end_trigger(options), options.batchSize,
                      Adam(learningrate=1e-3))
validate_optimizer(optimizer, test, options)
optimizer.optimize()
assert os.path.exists("kept/model.striate")
again = Model.loadModel("kept/model.striate")
x = np.zeros((2, 28, 28, 1))
assert np.allclose(again.forward(x), net.evaluate().forward(x))
""",
    "an autoencoder on arrays": """
import numpy as np
from bigdl.nn.layer import *
from bigdl.nn.criterion import MSECriterion
from bigdl.optim.optimizer import *
from bigdl.dataset import mnist
images, _ = mnist.read_data_sets("x", "train")
x = images[:500].reshape(500, 784) / 255.
net = Sequential()
net.add(Linear(784, 32)).add(ReLU()).add(Linear(32, 784)).add(Sigmoid())
before = float(MSECriterion().forward(net.forward(x), x))
Optimizer.create(model=net, training_set=(x, x), criterion=MSECriterion(), batch_size=100,
                 optim_method=Adam(learningrate=0.01), end_trigger=MaxEpoch(6)).optimize()
after = float(MSECriterion().forward(net.forward(x), x))
assert after < 0.5 * before, (before, after)
assert net.predict(x[:3]).shape == (3, 784)
""",
    "a block of branches as a graph": """
import numpy as np
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.nn.initialization_method import *
from bigdl.optim.optimizer import *
def conv(before, n_in, n_out, k, pad, name):
    layer = SpatialConvolution(n_in, n_out, k, k, 1, 1, pad, pad).set_name(name)
    layer.set_init_method(weight_init_method=Xavier(), bias_init_method=Zeros())
    return ReLU(True)(SpatialBatchNormalization(n_out, 1e-3)(layer(before)))
image = Input()
one = conv(image, 1, 4, 1, 0, "1x1")
three = conv(image, 1, 4, 3, 1, "3x3")
pooled = SpatialMaxPooling(3, 3, 1, 1, -1, -1)(image)
both = JoinTable(1, 3)([one, three, pooled])
flat = View([9 * 4 * 4])(SpatialAveragePooling(7, 7, 7, 7)(both))
end = LogSoftMax()(Linear(9 * 4 * 4, 3)(Dropout(0.4)(flat)))
net = Model([image], [end])
rng = np.random.RandomState(0)
y = rng.randint(1, 4, 120)
x = rng.rand(120, 1, 28, 28) + y.reshape(-1, 1, 1, 1) * np.linspace(0, 1, 28)
method = SGD(learningrate=0.1, momentum=0.9, dampening=0.0, nesterov=True, weightdecay=1e-4,
             leaningrate_schedule=Poly(0.5, 60))
optimizer = Optimizer.create(net, (x, y), ClassNLLCriterion(), MaxIteration(60), 32, method)
optimizer.set_validation(32, x, y, EveryEpoch(), [Top1Accuracy(), Top5Accuracy()])
kept = ValidationSummary("logs", "graph")
optimizer.set_val_summary(kept)
trained = optimizer.optimize().evaluate()
assert kept.read_scalar("Top1Accuracy")[-1][1] > 0.5
twin = net.parameters()["1x1"]["weight"]
assert twin.shape == (1, 4, 1, 1, 1)
single = trained.forward(x[0])
assert single.shape == (3,) and abs(np.exp(single).sum() - 1) < 1e-5
""",
    "transfer by weights": """
import numpy as np
from bigdl.nn.keras.topology import *
from bigdl.nn.keras.layer import *
rng = np.random.RandomState(1)
x, y = rng.rand(90, 1, 12, 12), rng.randint(1, 4, 90)
def net():
    first = Input(shape=(1, 12, 12))
    conv = Convolution2D(4, 3, 3, activation='relu', border_mode='same', name='conv')(first)
    pool = MaxPooling2D((2, 2), border_mode='same')(conv)
    merged = merge([Flatten()(pool), Flatten()(AveragePooling2D((2, 2))(conv))], mode='sum')
    return Model(first, Dense(3, activation='softmax', name='end')(Dropout(0.5)(merged)))
one, two = net(), net()
one.compile('rmsprop', 'sparse_categorical_crossentropy', ['accuracy'])
one.fit(x, y, batch_size=32, nb_epoch=2)          # 90 samples: three full batches
two.set_weights(one.get_weights())
one.evaluate()
two.evaluate()
assert np.allclose(one.forward(x), two.forward(x), atol=1e-6)
assert np.allclose(one.predict_local(x), two.forward(x), atol=1e-5)
assert set(two.parameters()) == {'conv', 'end'}
assert all(1 <= label <= 3 for label in one.predict_class(x, distributed=False).collect())
""",
    "a Keras network": """
import json
import numpy as np
from bigdl.nn.layer import Model
from bigdl.nn.criterion import ClassNLLCriterion
from bigdl.optim.optimizer import *
layers = [
    {"class_name": "Convolution2D", "config": {
     "name": "c", "nb_filter": 2, "nb_row": 3, "nb_col": 3,
     "dim_ordering": "th", "activation": "relu", "batch_input_shape": [None, 1, 8, 8]}},
    {"class_name": "Flatten", "config": {"name": "f"}},
    {"class_name": "Dense", "config": {"name": "d", "output_dim": 3, "activation": "softmax"}}]
with open("net.json", "w") as file:
    json.dump({"class_name": "Sequential", "config": layers, "keras_version": "1.2.2"}, file)
net = Model.load_keras(json_path="net.json")
assert [w.shape for w in net.get_weights()] == [(1, 2, 1, 3, 3), (2,), (3, 72), (3,)]
x, y = np.random.rand(20, 1, 8, 8), np.random.randint(1, 4, 20)
Optimizer.create(net, (x, y), ClassNLLCriterion(logProbAsInput=False), batch_size=10).optimize()
assert net.forward(x).shape == (20, 3)
""",
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_to_its_end(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "program.py"
    script.write_text(PROGRAMS[name])
    folder = run_script(script, limit_samples=1000, seed=1, root=tmp_path / "runs")
    assert json.loads((folder / "config.json").read_text())["dialect"] == "bigdl"
    assert (folder / "model.striate").is_file() or (folder / "weights.safetensors").is_file()
    said = capsys.readouterr()
    assert "dialect  bigdl (BigDL 0.7): bigdl in line" in said.err
    if name == "tutorial 000":
        created = [line.removeprefix("creating: create") for line in said.out.splitlines()
                   if line.startswith("creating: ")]  # fmt: skip
        assert created[6:] == [
            "KerasSequential", "KerasReshape", "KerasConvolution2D", "KerasMaxPooling2D",
            "KerasConvolution2D", "KerasMaxPooling2D", "KerasFlatten", "KerasDense", "KerasDense",
            "Default", "SGD", "ClassNLLCriterion", "Top1Accuracy",
        ]  # fmt: skip
        accuracy = float(said.err.rpartition("accuracy: ")[2].partition(")")[0])
        assert accuracy > 0.6


@pytest.mark.slow
def test_tutorial_000_in_full(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "tutorial.py"
    script.write_text(PROGRAMS["tutorial 000"])
    run_script(script, seed=1, root=tmp_path / "runs")
    accuracy = float(capsys.readouterr().err.rpartition("accuracy: ")[2].partition(")")[0])
    assert accuracy > 0.97
