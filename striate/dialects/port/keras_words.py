"""What a Keras script's words are natively, for the rewriting of scripts."""

from __future__ import annotations

ROOTS = ("tensorflow.keras", "tensorflow.python.keras", "tensorflow.contrib.keras", "keras")
VERBS = {"nb_epoch": "epochs", "samples_per_epoch": "steps_per_epoch", "generator": "x",
         "nb_val_samples": "validation_steps", "X": "x", "Y": "y"}  # fmt: skip
UNSEEN = ("show_accuracy", "class_mode", "nb_worker", "workers", "pickle_safe", "max_q_size",
          "use_multiprocessing", "max_queue_size", "nb_val_worker", "run_eagerly",
          "jit_compile", "steps_per_execution", "sample_weight_mode", "dtype")  # fmt: skip
KEYS = {"acc": "accuracy", "val_acc": "val_accuracy"}
SETTINGS = {"lr": "learning_rate"}
FILES = ("load_model",)
CALLBACKS = {  # arguments that mean the same natively
    "EarlyStopping": ("monitor", "min_delta", "patience", "verbose", "mode", "baseline",
                      "restore_best_weights", "start_from_epoch"),
    "ModelCheckpoint": ("filepath", "monitor", "verbose", "save_best_only", "save_weights_only",
                        "mode"),
    "ReduceLROnPlateau": ("monitor", "factor", "patience", "verbose", "mode", "min_delta",
                          "cooldown", "min_lr"),
    "LearningRateScheduler": ("schedule", "verbose"),
    "CSVLogger": ("filename", "separator", "append"),
    "LambdaCallback": ("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end",
                       "on_train_begin", "on_train_end"),
    "TerminateOnNaN": (),
}  # fmt: skip
LOSSES = ("categorical_crossentropy", "sparse_categorical_crossentropy",
          "binary_crossentropy", "mean_squared_error", "mean_absolute_error", "mse", "mae",
          "categorical_accuracy", "binary_accuracy", "sparse_categorical_accuracy", "hinge",
          "squared_hinge", "poisson")  # fmt: skip
BACKEND = {  # functions of tensors that torch has with the same arguments
    **{name: name for name in ("mean", "sum", "square", "abs", "exp", "log", "sqrt", "clip", "pow",
                               "round", "sign", "argmax", "flatten", "std", "var", "tanh",
                               "sigmoid", "zeros_like", "ones_like", "concatenate", "stack",
                               "logical_and", "cos", "sin")},
    "equal": "eq", "greater": "gt", "less": "lt", "max": "amax", "min": "amin",
}  # fmt: skip
# modules whose functions and objects native models take as they are
PUBLISHED = ("keras.utils", "keras.datasets", "keras.regularizers", "keras.constraints",
             "keras.initializers")  # fmt: skip
# arguments and names after which a script needs Keras's own models
UNPORTED = ("weights", "activity_regularizer")
WHOLE = ("plot_model", "model_to_dot", "multi_gpu_model", "HDF5Matrix", "Sequence",
         "image_dataset_from_directory", "VarianceScaling", "normalize")  # fmt: skip
ATTRIBUTES = (  # of layers, models and tensors, that native ones have not, or otherwise
    "add_loss", "add_metric", "optimizer", "outbound_nodes", "inbound_nodes",
    "get_config", "from_config", "to_json", "to_yaml", "get_input_at", "get_output_at",
    "trainable_weights", "trainable_variables", "non_trainable_weights", "compute_output_shape",
    "uses_learning_phase", "evaluate_generator", "predict_generator", "apply_gradients",
    "stop_gradient", "input", "output", "validation_data",
)  # fmt: skip
