"""Makes keras_newer.json from real Keras 3: a loss, a metric, and functions of pictures.

KERAS_BACKEND=torch python tests/golden/make_keras_newer.py  (in an environment with keras)

Numbers are rounded to 5 places.
"""

import json
from pathlib import Path

import keras
import numpy as np

MOVES = {
    "affine": "affine_transform(x, m)",
    "affine nearest": "affine_transform(x, m, interpolation='nearest', fill_mode='nearest')",
    "affine reflect": "affine_transform(x[0], m[0], fill_mode='reflect')",
    "affine mirror": "affine_transform(x[0], m[0], fill_mode='mirror')",
    "affine wrap": "affine_transform(x[0], m[0], fill_mode='wrap')",
    "pad": "pad_images(x, 1, 2, 3, 4)",
    "pad to": "pad_images(x, top_padding=1, left_padding=0, target_height=7, target_width=6)",
    "crop": "crop_images(x, 1, 0, 1, 2)",
    "crop to": "crop_images(x, bottom_cropping=1, right_cropping=1, target_height=2, "
    "target_width=3)",
    "map": "map_coordinates(x[0, ..., 0], p, order=1, fill_mode='nearest')",
}
SPECTRA = {
    "fft2": "fft2((x[..., 0], x[..., 1]))",
    "rfft": "rfft(x[..., 0], fft_length=8)",
    "stft": "stft(x.reshape(1, -1), sequence_length=6, sequence_stride=3, fft_length=8)",
}


def listed(value: object) -> object:
    """Return an array, or several, as lists of rounded numbers."""
    if isinstance(value, (tuple, list)):
        return [listed(one) for one in value]
    return np.round(np.asarray(value, dtype="float64"), 5).tolist()


def results(keras: object) -> dict[str, object]:
    """Return every case by its name."""
    rng = np.random.default_rng(3)
    x = rng.random((2, 4, 5, 2)).astype("float32")
    m = np.array([[0.9, 0.2, 0.5, -0.1, 1.1, -0.7, 0, 0], [1, 0, 1.5, 0, 1, -1, 0, 0]], "float32")
    names = {"x": x, "m": m, "p": (rng.random((2, 3, 3)) * 5 - 0.5).astype("float32")}
    found = {
        name: listed(eval(f"image.{case}", {"image": keras.ops.image, **names}))
        for name, case in MOVES.items()
    }
    found |= {
        name: listed(eval(f"ops.{case}", {"ops": keras.ops, **names}))
        for name, case in SPECTRA.items()
    }
    labels = np.array([[1, 2, 2, 0], [3, 0, 0, 0]])
    logits = rng.normal(size=(2, 7, 5)).astype("float32")
    found["CTC"] = listed(keras.losses.CTC(reduction=None)(labels, logits))
    true, said = (
        rng.normal(size=(8, 2)).astype("float32"),
        rng.normal(size=(8, 2)).astype("float32"),
    )
    for way in ("uniform_average", "variance_weighted_average", None):
        metric = keras.metrics.R2Score(class_aggregation=way)
        metric.update_state(true[:5], said[:5])
        metric.update_state(true[5:], said[5:], sample_weight=np.array([1.0, 2.0, 0.5], "float32"))
        found[f"R2Score {way}"] = listed(metric.result())
    found |= scores(keras, rng)
    return found


NUMBERS = {
    "nanmedian": "nanmedian(x, axis=(0, 2), keepdims=True)",
    "nanmedian all": "nanmedian(x)",
    "nanprod": "nanprod(x, axis=1)",
    "geomspace": "geomspace(1.0, 8.0, 4)",
    "geomspace open": "geomspace(1.0, 8.0, 4, endpoint=False)",
    "kaiser": "kaiser(6, 4.0)",
    "correlate": "correlate(a, b)",
    "correlate same": "correlate(a, b, mode='same')",
    "correlate full": "correlate(b, a, mode='full')",
    "vectorize": "vectorize(lambda one, two: one + 2 * two)(a[:3], b)",
}


def scores(keras: object, rng: np.random.Generator) -> dict[str, object]:
    """Return losses and metrics of embeddings and of values, and functions of NumPy."""
    found: dict[str, object] = {}
    near = rng.normal(size=(6, 3)).astype("float32")
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    classes = np.array([0, 1, 0, 2, 1, 0])
    found["Circle"] = listed(keras.losses.Circle(gamma=8.0, reduction=None)(classes, near))
    likely = np.abs(near) / np.abs(near).sum(1, keepdims=True)
    entropy = keras.losses.CategoricalGeneralizedCrossEntropy(q=0.7, reduction=None)
    found["CategoricalGeneralizedCrossEntropy"] = listed(entropy(classes, likely))
    true, said = (rng.normal(size=(5, 4)).astype("float32") for _ in range(2))
    for name in ("PearsonCorrelation", "ConcordanceCorrelation"):
        metric = getattr(keras.metrics, name)()
        metric.update_state(true[:3], said[:3])
        metric.update_state(true[3:], said[3:])
        found[name] = listed(metric.result())
    x = rng.random((2, 3, 4)).astype("float32")
    x[0, 1, 2] = x[1, 2, 0] = np.nan
    given = {"x": x, "a": near[:, 0].copy(), "b": near[:3, 1].copy()}
    for name, case in NUMBERS.items():
        found[name] = listed(eval(f"ops.{case}", {"ops": keras.ops, **given}))
    return found


if __name__ == "__main__":
    path = Path(__file__).with_name("keras_newer.json")
    path.write_text(json.dumps({"keras": keras.__version__, "results": results(keras)}))
