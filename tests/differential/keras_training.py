"""How a random network of Keras 3 is trained and looked at: heads, losses, moves.

Names that are there: `model`, `X` and `Y` (arrays, or lists), `rng`, and `weights`, which makes new
values for a model.
"""

from __future__ import annotations

HEADS = (  # the last layer, the targets, losses, metrics
    ("layers.Dense(4, activation='softmax')", "rng.integers(0, 4, 20)",
     ("'sparse_categorical_crossentropy'",
      "losses.SparseCategoricalCrossentropy(reduction='<sum|sum_over_batch_size>')"),
     ("['accuracy']", "['acc', 'sparse_categorical_crossentropy']",
      "[metrics.SparseTopKCategoricalAccuracy(<2|3>)]", "[]")),
    ("layers.Dense(4)", "rng.integers(0, 4, (20, 1))",
     ("losses.SparseCategoricalCrossentropy(from_logits=True)",),
     ("['accuracy']", "[metrics.SparseCategoricalCrossentropy(from_logits=True)]")),
    ("layers.Dense(4, activation='softmax')", "np.eye(4, dtype='float32')[rng.integers(0, 4, 20)]",
     ("'categorical_crossentropy'", "losses.CategoricalCrossentropy(label_smoothing=0.1)",
      "losses.CategoricalFocalCrossentropy(gamma=<2.0|1.0>)", "'kl_divergence'", "'mse'",
      "losses.CategoricalHinge()", "losses.Poisson()", "losses.CosineSimilarity()",
      "losses.CategoricalGeneralizedCrossEntropy()"),
     ("['accuracy']", "['categorical_accuracy', 'mse']", "[metrics.TopKCategoricalAccuracy(k=2)]",
      "[metrics.F1Score(average=<'macro'|'micro'|'weighted'>, threshold=<None|0.3>)]",
      "[metrics.Precision(class_id=<None|1>), metrics.Recall(top_k=<None|2>)]",
      "[metrics.CategoricalCrossentropy(label_smoothing=0.1), metrics.KLDivergence()]",
      "[metrics.OneHotMeanIoU(4)]", "[metrics.FBetaScore('macro', beta=2.0)]")),
    ("layers.Dense(1, activation='sigmoid')", "rng.integers(0, 2, <20|(20, 1)>)",
     ("'binary_crossentropy'", "losses.BinaryCrossentropy(label_smoothing=0.1)",
      "losses.BinaryFocalCrossentropy(apply_class_balancing=<False|True>)", "'mae'",
      "losses.Dice()", "losses.Tversky(alpha=0.3)"),
     ("['accuracy']", "['binary_accuracy', 'mae']", "[metrics.Precision(), metrics.Recall()]",
      "[metrics.BinaryIoU([<0|1>])]", "[metrics.BinaryCrossentropy()]",
      "[metrics.BinaryAccuracy(threshold=0.4)]")),
    ("layers.Dense(3, activation='<sigmoid|tanh>')",
     "rng.integers(0, 2, (20, 3)).astype('float32')",
     ("'binary_crossentropy'", "'hinge'", "'squared_hinge'", "losses.BinaryCrossentropy("
      "from_logits=True, axis=<-1|1>)", "losses.Tversky()", "losses.Circle(gamma=2.0)"),
     ("['accuracy']", "['hinge']", "['squared_hinge', 'mse']", "[]")),
    ("layers.Dense(2)", "rng.normal(size=(20, 2))",
     ("'mse'", "'mae'", "'mape'", "'msle'", "'huber'", "'log_cosh'", "losses.Huber(<0.5|2.0>)",
      "losses.CosineSimilarity(axis=-1)", "losses.MeanSquaredError(reduction=<'sum'|'mean'>)",
      "lambda a, b: ops.mean(ops.abs(a - b) ** 1.5, axis=-1)",
      "lambda a, b: ops.mean(ops.square(a - b))"),
     ("['mae']", "['mse', 'cosine_similarity']", "[metrics.RootMeanSquaredError()]", "[]",
      "[metrics.R2Score()]", "[metrics.MeanAbsolutePercentageError()]",
      "[metrics.LogCoshError(), metrics.MeanSquaredLogarithmicError()]",
      "[metrics.PearsonCorrelation()]")),
)  # fmt: skip

RATE = (
    "<0.01|1e-3|optimizers.schedules.ExponentialDecay(0.01, 3, 0.9, staircase=True)"
    "|optimizers.schedules.CosineDecay(0.01, 10)|optimizers.schedules.PolynomialDecay(0.02, 6)"
    "|optimizers.schedules.PiecewiseConstantDecay([2, 4], [0.01, 0.005, 0.001])"
    "|optimizers.schedules.InverseTimeDecay(0.02, 2, 0.5)"
    "|optimizers.schedules.CosineDecayRestarts(0.01, 4)"
    "|optimizers.schedules.CosineDecay(1e-3, 8, warmup_target=0.01, warmup_steps=3)>"
)
BESIDE = (
    "<||, clipnorm=0.1|, clipvalue=0.01|, global_clipnorm=0.2|, weight_decay=0.01"
    "|, use_ema=True, ema_momentum=0.9|, use_ema=True, ema_overwrite_frequency=2"
    "|, gradient_accumulation_steps=2>"
)
OPTIMIZERS = (
    f"optimizers.SGD({RATE}{BESIDE})",
    f"optimizers.SGD({RATE}, momentum=0.9, nesterov=<False|True>{BESIDE})",
    f"optimizers.Adam({RATE}, epsilon=1e-3, amsgrad=<False|True>{BESIDE})",
    f"optimizers.Adam({RATE}, beta_1=0.5, beta_2=0.9, epsilon=1e-3{BESIDE})",
    f"optimizers.AdamW({RATE}, weight_decay=0.01, epsilon=1e-3)",
    f"optimizers.RMSprop({RATE}, rho=<0.9|0.5>, centered=<False|True>, momentum=<0.0|0.9>, "
    f"epsilon=1e-3{BESIDE})",
    f"optimizers.Adagrad({RATE}, initial_accumulator_value=<0.1|0.5>{BESIDE})",
    f"optimizers.Adadelta({RATE}, epsilon=1e-3{BESIDE})",
    f"optimizers.<Adamax|Nadam>({RATE}, epsilon=1e-3{BESIDE})",
    "optimizers.Ftrl(0.01, l1_regularization_strength=<0.0|0.01>)",
    "'<sgd|adagrad|nadam|adadelta|lion>'",
)

FIT = "history = model.fit(X, Y, epochs=<2|3|1>, batch_size=<5|7|20|32|4>, shuffle=False, verbose=0"
CALLBACKS = (
    "callbacks.EarlyStopping(monitor='loss', patience=<0|1>, min_delta=<10.0|0.0>, "
    "restore_best_weights=<True|False>)",
    "callbacks.ReduceLROnPlateau(monitor='loss', patience=0, factor=0.5, min_delta=10.0)",
    "callbacks.TerminateOnNaN()",
    "callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: note('logs', epoch, dict(logs)))",
    "callbacks.LambdaCallback(on_train_batch_end=lambda at, logs: note('batch', at, dict(logs)))",
    "callbacks.ModelCheckpoint('best.keras', monitor='loss', save_best_only=True)",
    "callbacks.CSVLogger('log.csv')",
    "callbacks.SwapEMAWeights()",
    "callbacks.BackupAndRestore('backup')",
    "callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 / (epoch + 1))",
)
TOLD = "; note('history', history.history)"

MOVES = (
    FIT + ")" + TOLD,
    FIT + ", validation_split=<0.25|0.1>)" + TOLD,
    FIT + ", validation_data=(X, Y))" + TOLD,
    FIT + ", validation_data=(X, Y, np.linspace(0, 1, 20)), validation_batch_size=6)" + TOLD,
    FIT + ", sample_weight=np.linspace(0.0, 2.0, 20))" + TOLD,
    FIT + ", class_weight={{0: 0.5, 1: 2.0}})" + TOLD,
    FIT + ", initial_epoch=1)" + TOLD,
    *(f"{FIT}, callbacks=[{row}]){TOLD}" for row in CALLBACKS),
    "def batches():\n    while True:\n        for at in range(0, 20, 6): "
    "yield X[at:at + 6], Y[at:at + 6]\n"
    "history = model.fit(batches(), steps_per_epoch=4, epochs=2, verbose=0)" + TOLD,
    "class Batches(keras.utils.PyDataset):\n    def __len__(self): return 4\n"
    "    def __getitem__(self, at): return X[at * 5:at * 5 + 5], Y[at * 5:at * 5 + 5]\n"
    "history = model.fit(Batches(), epochs=2, shuffle=False, verbose=0)" + TOLD,
    "note('evaluate', model.evaluate(X, Y, verbose=0, return_dict=True))",
    "note('evaluate', model.evaluate(X, Y, verbose=0, batch_size=<6|20>))",
    "note('evaluate', model.evaluate(X, Y, verbose=0, sample_weight=np.linspace(0, 1, 20)))",
    "note('batch', model.train_on_batch(X[:6], Y[:6]))",
    "note('batch', model.train_on_batch(X[:6], Y[:6], return_dict=True))",
    "note('batch', model.train_on_batch(X[:6], Y[:6], sample_weight=np.arange(6.0)))",
    "note('test', model.test_on_batch(X, Y<|, return_dict=True>))",
    "note('predict', model.predict(X, verbose=0, batch_size=<6|32|1>))",
    "note('predict', model.predict_on_batch(X))",
    "note('call', ops.convert_to_numpy(model(X[:3], training=<False|True>)))",
    "note('weights', model.get_weights())",
    "model.set_weights([one * 0.9 for one in model.get_weights()])",
    "model.set_weights(weights(model))",
    "model.layers[-1].set_weights([one * 0.5 for one in model.layers[-1].get_weights()])",
    "model.layers[<1|2|-1|-2>].trainable = <False|True>; model.compile({compile})",
    "model.trainable = <False|True>; note('counts', len(model.trainable_weights)); "
    "model.compile({compile})",
    "for one in model.layers: one.trainable = 'dense' not in one.name\nmodel.compile({compile})",
    "model.compile({compile})",
    "model.compile(optimizer=optimizers.SGD(0.02), loss={loss}, metrics={metrics}, "
    "weighted_metrics=<[]|['mae']>)",
    "model.compile(optimizer='sgd', loss={loss}, metrics={metrics}, jit_compile=False)",
    "model.save('m.keras'); model = keras.models.load_model('m.keras', safe_mode=False)",
    "model.save('m.h5'); model = keras.models.load_model('m.h5', compile=<True|False>, "
    "safe_mode=False); model.compile({compile})",
    "model.save_weights('m.weights.h5'); kept = model.get_weights(); "
    "model.set_weights([one * 0.5 for one in kept]); model.load_weights('m.weights.h5')",
    "model.save('o.keras'); theirs = keras.models.load_model(other('o.keras'), safe_mode=False); "
    "note('theirs', theirs.predict(X, verbose=0), theirs.evaluate(X, Y, verbose=0))",
    "model.save('o.h5'); theirs = keras.models.load_model(other('o.h5'), safe_mode=False); "
    "note('theirs', theirs.predict(X, verbose=0))",
    "model.save_weights('o.weights.h5'); model.load_weights(other('o.weights.h5'))",
    "model.save('o.keras'); theirs = keras.models.load_model(other('o.keras'), safe_mode=False); "
    "note('theirs', theirs.fit(X, Y, epochs=2, batch_size=5, shuffle=False, verbose=0).history)",
    "twin = keras.models.clone_model(model); twin.set_weights(model.get_weights()); "
    "note('twin', twin.predict(X, verbose=0))",
    "twin = type(model).from_config(model.get_config()); twin.set_weights(model.get_weights()); "
    "note('twin', twin.predict(X, verbose=0))",
    "twin = keras.models.model_from_json(model.to_json()); twin.set_weights(model.get_weights()); "
    "note('twin', twin.predict(X, verbose=0))",
    "part = keras.Model(model.inputs, model.layers[-2].output); "
    "note('part', part.predict(X, verbose=0))",
    "part = keras.Model(model.inputs, [one.output for one in model.layers[-2:]]); "
    "note('parts', part.predict(X, verbose=0))",
    "model.optimizer.learning_rate = <0.003|0.0>",
    "note('variables', [tuple(one.shape) for one in model.optimizer.variables])",
    "model.optimizer.learning_rate.assign(0.002)",
    "note('rate', float(ops.convert_to_numpy(model.optimizer.learning_rate)))",
    "note('iterations', int(ops.convert_to_numpy(model.optimizer.iterations)))",
    "note('layers', [one.name for one in model.layers], "
    "[str(tuple(one.output.shape)) for one in model.layers])",
    "note('names', [one.path for one in model.weights])",
    "note('counts', model.count_params(), [one.count_params() for one in model.layers])",
    "note('lists', len(model.trainable_weights), len(model.non_trainable_weights), "
    "len(model.trainable_variables), len(model.losses))",
    "note('losses', [ops.convert_to_numpy(one) for one in model.losses])",
    "note('loss', ops.convert_to_numpy(model.compute_loss(X, Y, model(X))))",
    "X, Y = X[<4:|::2|:15>], Y[<4:|::2|:15>]",
    "for one in model.layers[-1:]: one.kernel.assign(one.kernel * 0.5)",
    "note('total', float(ops.sum(ops.abs(model.layers[-1].kernel))))",
)
