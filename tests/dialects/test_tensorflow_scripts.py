"""What scripts of TensorFlow have around a network: data sets by name, flags, devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from striate.dialects.program import run_script
from striate.dialects.table import DialectError

FLAGS = """
import {module} as tf
flags = tf.app.flags
flags.DEFINE_integer('steps', 5, 'how many')
flags.DEFINE_boolean('fast', False, 'quickly')
FLAGS = flags.FLAGS
def main(rest):
    print(FLAGS.steps, FLAGS.fast, rest[1:])
if __name__ == '__main__':
    tf.app.run()
"""
SETS = """
import tensorflow as tf, tensorflow_datasets as tfds
(train, test), info = tfds.load('mnist', split=['train[:90]', 'test[50%:]'], as_supervised=True,
                                with_info=True, shuffle_files=True)
assert len(train) == 90 and len(test) == 5000
assert info.splits['train'].num_examples == 60000
assert info.features['label'].num_classes == 10 and info.features['label'].int2str(7) == '7'
image, label = next(iter(train))
assert image.dtype == tf.uint8 and image.shape == (28, 28, 1) and label.dtype == tf.int64
whole = tfds.load('mnist', split='train+test', batch_size=-1)
assert whole['image'].shape == (70000, 28, 28, 1) and len(whole['label']) == 70000
one = next(iter(tfds.as_numpy(tfds.load('mnist:3.*.*')['test'])))
assert one['image'].shape == (28, 28, 1) and one['label'] == 7
train = train.map(lambda x, y: (tf.cast(x, tf.float32) / 255., y)).cache().batch(30)
model = tf.keras.Sequential([tf.keras.layers.Flatten(input_shape=(28, 28)),
                             tf.keras.layers.Dense(10)])
model.compile(tf.keras.optimizers.Adam(0.01), metrics=['accuracy'],
              loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
assert model.fit(train, epochs=8, verbose=0).history['accuracy'][-1] > 0.8
"""
DEVICES = """
import tensorflow as tf
from tensorflow.python.client import device_lib
assert not tf.config.list_physical_devices('GPU')
assert [one.device_type for one in tf.config.list_logical_devices()] == ['CPU']
assert [one.device_type for one in device_lib.list_local_devices()] == ['CPU']
tf.get_logger().setLevel('ERROR')
"""


def run(text: str, folder: Path, *args: str) -> None:
    (folder / "script.py").write_text(text)
    run_script(folder / "script.py", args, root=folder / "runs")


@pytest.mark.parametrize("module", ["tensorflow", "tensorflow.compat.v1"])
def test_flags_are_read_from_the_command_line(
    module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, said in (((), "5 False []\n"), (("--steps=7", "--fast", "x"), "7 True ['x']\n")):
        run(FLAGS.format(module=module), tmp_path, *words)
        assert capsys.readouterr().out == said


@pytest.mark.parametrize("text", [SETS, DEVICES], ids=["data sets", "devices"])
def test_a_script_finds_what_it_asks_for(text: str, tmp_path: Path) -> None:
    assert "assert " in text  # it is the script that compares
    run(text, tmp_path)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("load('fashion_mnis')", 'did you mean "fashion_mnist"?'),
        ("load('mnist', split='valid')", "got   split='valid'"),
    ],
)
def test_an_unknown_data_set_or_split_is_told(call: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DialectError) as error:
        run(f"import tensorflow_datasets as tfds\ntfds.{call}\n", tmp_path)
    assert said in str(error.value)
    assert "script.py:2" in str(error.value)
