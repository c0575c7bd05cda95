"""Checks that real Keras 3 loads what Striate writes, with equal predictions.

With Striate:  python check_keras_files.py write FOLDER
With Keras 3:  KERAS_BACKEND=torch python check_keras_files.py read FOLDER

The networks are those of make_keras_files.py: read, written again in both formats, as a
model and as weights alone, and predicting on the inputs that are kept beside them.
"""

import sys
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "keras_files"
NAMES = sorted(path.stem for path in GOLDEN.glob("keras3_*.npz"))
ENDINGS = (".keras", ".h5", ".weights.h5", "_weights.h5")


def write(folder):
    import striate as st

    for name in NAMES:
        model = st.load(GOLDEN / f"{name}.keras")
        for ending in ENDINGS:
            save = model.save_weights if "weights" in ending else model.save
            save(folder / f"{name}{ending}")


def read(folder):
    import keras

    for name in NAMES:
        data = np.load(GOLDEN / f"{name}.npz")
        x, expected = ([data[key] for key in data if key[0] == letter] for letter in "xy")
        for ending in ENDINGS:
            path = folder / f"{name}{ending}"
            if "weights" in ending:
                model = keras.saving.load_model(GOLDEN / f"{name}.keras")
                model.set_weights([weight * 0 for weight in model.get_weights()])
                model.load_weights(path)
            else:
                model = keras.saving.load_model(path)
            y = model.predict(x if len(x) > 1 else x[0], verbose=0)
            y = y if isinstance(y, list) else [y]
            worst = max(float(abs(a - b).max()) for a, b in zip(y, expected, strict=True))
            print(f"{path.name:<40} {worst:.1e}")
            assert worst < 1e-5


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))
