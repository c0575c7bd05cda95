"""What TensorFlow is told about devices, checks and records: it changes nothing here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..scalars import FileWriter, scalar
from .tf_objects import Anything, Reduce, Strategy


def nothing(*args: Any, **words: Any) -> None:
    """Do nothing."""


def devices(device_type: str | None = None) -> list[Anything]:
    """Return the processor, unless others are asked for."""
    if device_type not in (None, "CPU"):
        return []
    return [Anything(name="/physical_device:CPU:0", device_type="CPU")]


def no_cluster(*args: Any, **words: Any) -> Any:
    """Say, as TensorFlow does, that there is no such processor: scripts go on without."""
    raise ValueError("there is no TPU on this machine")


def checked(holds: Callable[[Any, Any], Any]) -> Callable[..., None]:
    """Return an assertion of two values."""

    def check(x: Any, y: Any, message: Any = None, **words: Any) -> None:
        if not np.all(holds(np.asarray(x), np.asarray(y))):
            raise InvalidArgumentError(message or f"assertion failed: {x} and {y}")

    return check


class InvalidArgumentError(ValueError):
    """What TensorFlow raises for a value that does not fit."""


ERRORS: Mapping[str, type[Exception]] = {
    "OpError": Exception, "InvalidArgumentError": InvalidArgumentError,
    "NotFoundError": FileNotFoundError, "OutOfRangeError": StopIteration,
    "ResourceExhaustedError": MemoryError, "UnimplementedError": NotImplementedError,
    "InternalError": RuntimeError, "FailedPreconditionError": RuntimeError,
    "AlreadyExistsError": FileExistsError, "UnknownError": RuntimeError,
    "AbortedError": RuntimeError, "CancelledError": RuntimeError, "DataLossError": OSError,
}  # fmt: skip
DEVICES = {
    "list_physical_devices": devices, "list_logical_devices": devices,
    "get_visible_devices": devices,
    **dict.fromkeys(("set_visible_devices", "run_functions_eagerly",
                     "experimental_run_functions_eagerly", "set_logical_device_configuration",
                     "set_soft_device_placement"), nothing),
    "functions_run_eagerly": lambda: True, "LogicalDeviceConfiguration": Anything,
    "get_soft_device_placement": lambda: True, "PhysicalDevice": Anything,
}  # fmt: skip
CHECKS = {
    "assert_equal": checked(lambda x, y: x == y), "assert_greater": checked(lambda x, y: x > y),
    "assert_less": checked(lambda x, y: x < y), "assert_near": checked(
        lambda x, y: np.isclose(x, y, rtol=1e-5, atol=1e-5)),
    "assert_greater_equal": checked(lambda x, y: x >= y), "assert_less_equal": checked(
        lambda x, y: x <= y), "assert_none_equal": checked(lambda x, y: x != y),
    "check_numerics": lambda tensor, *args, **words: tensor,
    "is_numeric_tensor": lambda tensor: True,
    **dict.fromkeys((
        "assert_rank", "assert_shapes", "assert_type", "assert_non_negative", "assert_positive",
        "assert_all_finite", "set_log_device_placement", "enable_check_numerics",
        "disable_check_numerics", "disable_traceback_filtering", "enable_traceback_filtering",
        "assert_integer", "assert_rank_at_least"), nothing),
}  # fmt: skip
SPREAD = dict.fromkeys(  # ways to train on several machines, each of which is this one
    ("Strategy", "MirroredStrategy", "TPUStrategy", "OneDeviceStrategy", "get_strategy",
     "MultiWorkerMirroredStrategy", "CentralStorageStrategy", "ParameterServerStrategy"),
    Strategy,
)  # fmt: skip
MODULES: Mapping[str, Mapping[str, Any]] = {
    "config": {**DEVICES, "optimizer": Anything()},
    "config.experimental": {
        **DEVICES, "VirtualDeviceConfiguration": Anything, "get_memory_growth": lambda *a: False,
        "get_memory_info": lambda *a: {"current": 0, "peak": 0},
        **dict.fromkeys((
            "set_memory_growth", "enable_tensor_float_32_execution", "enable_op_determinism",
            "set_virtual_device_configuration", "reset_memory_stats"), nothing),
        "get_device_details": lambda device: {}},
    "config.threading": dict.fromkeys((
        "set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"), nothing),
    "debugging": CHECKS, "errors": ERRORS,
    "distribute": {**SPREAD, "ReduceOp": Reduce, "get_replica_context": Anything,
                   "HierarchicalCopyAllReduce": Anything, "NcclAllReduce": Anything,
                   "DistributedValues": Anything, "InputContext": Anything,
                   "DistributedDataset": Anything, "RunOptions": Anything,
                   "ReplicaContext": Anything, "in_cross_replica_context": lambda: True,
                   "has_strategy": lambda: False},
    "distribute.experimental": {**SPREAD, "CommunicationOptions": Anything},
    "distribute.cluster_resolver": {"TPUClusterResolver": no_cluster,
                                    "TFConfigClusterResolver": no_cluster},
    "tpu": {}, "tpu.experimental": {"initialize_tpu_system": nothing},
    "summary": {"create_file_writer": FileWriter, "record_if": Anything, "scalar": scalar,
                "create_noop_writer": Anything, "SummaryWriter": FileWriter,
                "should_record_summaries": lambda: True, "experimental": Anything(),
                **dict.fromkeys((
        "image", "histogram", "text", "flush", "trace_on", "trace_off",
        "trace_export", "graph", "audio"), nothing)},
    "profiler": {}, "profiler.experimental": {
        **dict.fromkeys(("start", "stop", "server"), nothing), "Trace": Anything,
        "Profile": Anything},
    "test": {"is_gpu_available": lambda *a, **w: False, "gpu_device_name": lambda: "",
             "is_built_with_cuda": lambda: False, "is_built_with_gpu_support": lambda: False},
    "sysconfig": {"get_build_info": dict},
}  # fmt: skip
