"""OpenVINO: the exported network, compiled for this processor. Variants: float32, bfloat16.

One image after another under the latency hint; larger batches through the asynchronous queue under
the throughput hint, which OpenVINO's manual recommends for each.
"""

from __future__ import annotations

from itertools import islice

import openvino
import openvino.properties.hint as hints

from .. import networks as N
from ..protocol import Task, serve
from . import pytorch
from .onnxruntime import export


def infer(network: N.Network, batch: int, variant: str) -> Task:
    """Predict from NumPy to NumPy."""
    exported, parameters = export(network, batch)
    core = openvino.Core()
    alone = batch == 1
    compiled = core.compile_model(
        core.read_model(exported),
        "CPU",
        {
            hints.inference_precision: "bf16" if variant == "bfloat16" else "f32",
            hints.performance_mode: "LATENCY" if alone else "THROUGHPUT",
        },
    )
    batches = pytorch.cycle(pytorch.images(network)[0], batch)
    request = compiled.create_infer_request()
    queue = openvino.AsyncInferQueue(compiled)

    def run(steps: int) -> None:
        for x in islice(batches, steps):
            if alone:
                request.infer([x.numpy()], share_inputs=True, share_outputs=True)
            else:
                queue.start_async([x.numpy()], share_inputs=True)
        queue.wait_all()

    return Task(run, parameters)


if __name__ == "__main__":
    serve("openvino onnx torch", infer=infer)
