"""What a random network of Keras 3 is made of: a row for each layer or function.

A row is a layer, which is called, or an expression of `{x}`. Words: `{c}` the last size, `{h}` and
`{w}` of an image, `{n}` of a sequence; `{y}` another value of the same shape, `{z}` one that can be
joined along the last axis; `{inner}` a model that is nested.
"""

from __future__ import annotations

ACTIVATION = (
    "<'relu'|None|'tanh'|'sigmoid'|'elu'|'selu'|'softplus'|'softsign'|'gelu'|'silu'|'leaky_relu'"
    "|'hard_sigmoid'|'relu6'|'mish'|'hard_silu'|'log_softmax'|'celu'|'exponential'|'softmax'"
    "|'hard_tanh'|'tanh_shrink'|'soft_shrink'|'hard_shrink'|'squareplus'|'log_sigmoid'>"
)
USUAL = (
    f"activation={ACTIVATION}, use_bias=<True|False>, kernel_regularizer=<None|None|'l2'|"
    "regularizers.L1L2(1e-3, 1e-2)|regularizers.L1(1e-3)>, kernel_constraint=<None|None|None|"
    "constraints.MaxNorm(1.0)|constraints.NonNeg()|constraints.UnitNorm(axis=0)>"
)
MERGES = "layers.<Add|Subtract|Multiply|Average|Maximum|Minimum>()"

ANYWHERE = (
    f"layers.Activation({ACTIVATION.replace('|None', '')})",
    "layers.ReLU(max_value=<None|2.0>, negative_slope=<0.0|0.1>, threshold=<0.0|0.1>)",
    "layers.LeakyReLU(negative_slope=<0.3|0.1>)",
    "layers.ELU(<1.0|0.5>)",
    "layers.Softmax(<|axis=1>)",
    "layers.BatchNormalization(momentum=<0.99|0.5>, epsilon=<1e-3|1e-2>, center=<True|False>, "
    "scale=<True|False>)",
    "layers.BatchNormalization(gamma_regularizer=<None|'l2'>, moving_mean_initializer='ones')",
    "layers.LayerNormalization(epsilon=1e-3, center=<True|False>, scale=<True|False>)",
    "layers.LayerNormalization(axis=1)",
    "layers.RMSNormalization(epsilon=1e-3)",
    "layers.UnitNormalization(axis=<-1|1>)",
    "layers.Dropout(<0.0|0.0>)",
    "layers.GaussianNoise(0.0)",
    "layers.Rescaling(<0.5|2.0>, offset=<0.0|0.1>)",
    "layers.Identity()",
    "layers.ActivityRegularization(l1=1e-3, l2=<0.0|1e-3>)",
    "layers.Lambda(lambda t: <t * 0.5 + 0.1|ops.tanh(t)|keras.activations.relu(t)>)",
    "{x} <+|-|*> <0.5|2.0>",
    "1.0 - {x}",
    "{x} / 2.0",
    "-{x}",
    "ops.<relu|tanh|sigmoid|square|abs|sin|exp|softplus|sign|floor|sqrt|log1p>(1.5 + ops.tanh({x}"
    "))",
    "ops.<add|multiply|subtract|maximum|minimum>({x}, {y})",
    "ops.concatenate([{x}, {z}], axis=-1)",
    "ops.clip({x}, -1.0, <1.0|0.5>)",
    "ops.where({x} > 0, {x}, 0.1 * {x})",
    "{x}[:, <1:|:-1|::2>]",
    "ops.expand_dims({x}, -1)",
    "ops.<mean|sum|max|std|var|logsumexp>({x}, axis=<1|-1>)",
    "ops.normalize({x}, axis=-1)",
    "ops.flip({x}, axis=1)",
    "ops.roll({x}, 1, axis=1)",
    "ops.cumsum({x}, axis=1)",
    "ops.take({x}, [0, 1], axis=1)",
    "ops.<repeat|tile>({x}, <2|1>)[:20]",
    "ops.stack([{x}, {y}], axis=1)",
    "ops.split({x}, 2, axis=<1|-1>)[<0|1>]",
    "ops.squeeze(ops.expand_dims({x}, 1), 1)",
    "ops.nan_to_num(ops.<log|rsqrt|reciprocal>(2.5 + ops.sin({x})))",
    "ops.where(ops.logical_not({x} >= 0.1), {x}, ops.zeros_like({x}))",
    "ops.power(ops.abs({x}), <2|0.5>) <-|+> {y}",
    MERGES + "([{x}, {y}])",
    MERGES + "([{x}, {x}])",
    "layers.Concatenate()([{x}, {z}])",
    "layers.Concatenate(axis=1)([{x}, {x}])",
)

IMAGES = (
    f"layers.Conv2D(<4|3|8|17>, <3|1|2|5|(3, 1)>, strides=<1|1|2|(1, 2)>, "
    f"padding='<valid|same>', {USUAL})",
    "layers.Conv2D(4, 3, dilation_rate=<2|(1, 2)>, padding='<same|valid>', activation='relu')",
    "layers.Conv2D({c} * 2, 3, groups={c}, padding='same')",
    "layers.Conv2D({c}, 3, padding='same', bias_regularizer='l2', activity_regularizer=<None|'l1'>"
    ")",
    "layers.Conv2D(8, 3, data_format='channels_first', padding='<same|valid>')",
    f"layers.SeparableConv2D(<6|3>, 3, strides=<1|2>, padding='<same|valid>', "
    f"depth_multiplier=<1|2>, activation={ACTIVATION})",
    f"layers.DepthwiseConv2D(<3|2>, strides=<1|2>, padding='<same|valid>', "
    f"depth_multiplier=<1|2>, activation={ACTIVATION}, use_bias=<True|False>)",
    f"layers.Conv2DTranspose(<4|3>, <3|2|4|5>, strides=<2|1|3>, padding='<same|valid>', "
    f"activation={ACTIVATION})",
    "layers.Conv2DTranspose(3, 3, strides=2, padding='<same|valid>', output_padding=<None|1>)",
    "layers.MaxPooling2D(<2|3|(2, 1)>, strides=<None|1|2|3>, padding='<valid|same>')",
    "layers.AveragePooling2D(<2|3>, strides=<None|1|2>)",
    "layers.MaxPooling2D(2, data_format='channels_first')",
    "layers.GroupNormalization(groups=<1|{c}|-1>, epsilon=1e-2)",
    "layers.LayerNormalization(axis=[1, 2, 3])",
    "layers.BatchNormalization(axis=<1|2>)",
    "layers.SpectralNormalization(layers.Conv2D(4, 3))",
    "layers.PReLU(shared_axes=<[1, 2]|None>)",
    "layers.UpSampling2D(<2|(1, 2)>, interpolation='<nearest|bilinear>')",
    "layers.ZeroPadding2D(<1|(1, 2)|((0, 1), (2, 0))>)",
    "layers.Cropping2D(<1|((0, 1), (1, 0))>)",
    "layers.Permute(<(2, 1, 3)|(3, 1, 2)>)",
    "layers.Reshape(<(-1, {c})|({h} * {w}, {c})|({w}, {h}, {c})>)",
    "layers.SpatialDropout2D(0.0)",
    "layers.Resizing(<6|9>, <7|6>, interpolation='<bilinear|nearest>')",
    "layers.CenterCrop(4, 5)",
    "layers.Normalization(mean=0.3, variance=<2.0|0.5>)",
    "layers.Dense(<5|4>, activation='<relu|tanh>')",
    "layers.EinsumDense('abcd,de->abce', output_shape=(None, None, 5), bias_axes='e')",
    "layers.TimeDistributed(layers.<Dense(3)|Conv1D(3, 2)|Flatten()>)",
    "layers.ConvLSTM1D(3, 2, return_sequences=<False|True>)",
    "{inner}",
    "layers.Conv2D({c}, 3, padding='same', activation='relu')({x}) + {x}",
    "layers.Multiply()([{x}, layers.Dense({c}, activation='sigmoid')("
    "layers.GlobalAveragePooling2D(keepdims=True)({x}))])",
    "ops.<mean|max>({x}, axis=(1, 2), keepdims=<False|True>)",
    "ops.transpose({x}, (0, 2, 1, 3))",
    "ops.image.resize({x}, (7, 6))",
    "ops.image.extract_patches({x}, (2, 2))",
    "ops.<max|average>_pool({x}, 2, strides=<1|2>, padding='<valid|same>')",
    "ops.conv({x}, ops.ones((3, 3, {c}, 2)), padding='<valid|same>')",
    "layers.AveragePooling2D(2, padding='same')",
    "layers.Conv2D(4, 3, padding='same', activity_regularizer=regularizers.L2(1e-3))",
    "ops.pad({x}, ((0, 0), (1, 0), (0, 2), (0, 0)), mode='<constant|reflect>')",
    *ANYWHERE,
)

SEQUENCES = (
    f"layers.Conv1D(<4|6>, <3|2|1>, strides=<1|2>, padding='<valid|same|causal>', "
    f"activation={ACTIVATION})",
    "layers.Conv1D(4, 2, dilation_rate=2, padding='<causal|same>')",
    "layers.SeparableConv1D(4, 3, padding='<same|causal>')",
    "layers.DepthwiseConv1D(3, depth_multiplier=<1|2>)",
    "layers.Conv1DTranspose(4, 3, strides=<1|2>, padding='<same|valid>')",
    "layers.<MaxPooling1D|AveragePooling1D>(2, strides=<None|1>)",
    "layers.UpSampling1D(2)",
    "layers.ZeroPadding1D(<1|(0, 2)>)",
    "layers.Cropping1D((1, 0))",
    "layers.Permute((2, 1))",
    "layers.LSTM(<5|4>, return_sequences=<False|True>, go_backwards=<False|True>, "
    "recurrent_activation='<sigmoid|hard_sigmoid>', unit_forget_bias=<True|False>)",
    "layers.LSTM(4, use_bias=<True|False>, activation='<tanh|relu>', "
    "return_sequences=<True|False>)",
    "layers.GRU(<5|4>, return_sequences=<False|True>, reset_after=<True|False>, "
    "go_backwards=<False|True>)",
    "layers.SimpleRNN(5, return_sequences=<False|True>, activation='<tanh|relu>')",
    "layers.Bidirectional(layers.<LSTM|GRU>(4, return_sequences=<False|True>), "
    "merge_mode='<concat|sum|ave|mul>')",
    "layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_sequences=<False|True>)",
    "layers.RNN(layers.SimpleRNNCell(4), return_sequences=<True|False>)",
    "layers.Concatenate()(layers.GRU(4, return_state=True)({x}))",
    "layers.Concatenate()(layers.LSTM(3, return_state=True)({x}))",
    "layers.TimeDistributed(layers.Dense(3, activation='<relu|tanh>'))",
    "layers.Masking(<0.0|0.5>)",
    "layers.MultiHeadAttention(<2|1>, 3, value_dim=<None|4>, use_bias=<True|False>)({x}, {x})",
    "layers.MultiHeadAttention(2, 3, output_shape=5)({x}, {x}, use_causal_mask=<True|False>)",
    "layers.<Attention|AdditiveAttention>(use_scale=<False|True>)([{x}, {x}])",
    "layers.Attention(score_mode='<dot|concat>')([{x}, {y}])",
    "layers.GroupQueryAttention(4, 4, 2)({x}, {x})",
    "layers.RNN([layers.LSTMCell(3), layers.LSTMCell(2)])",
    "layers.Dot(axes=<(2, 2)|2>, normalize=<False|True>)([{x}, {x}])",
    "layers.SpatialDropout1D(0.0)",
    "layers.Dense(<5|4>, activation='relu')",
    "layers.EinsumDense('abc,cd->abd', output_shape=(None, 5), bias_axes='d')",
    "layers.Reshape(<({n}, {c}, 1)|({n} * {c},)>)",
    "ops.matmul({x}, ops.transpose({x}, (0, 2, 1)))",
    "ops.softmax(ops.einsum('abc,adc->abd', {x}, {x}))",
    "{x}[:, -1]",
    *ANYWHERE,
)

VECTORS = (
    f"layers.Dense(<7|4|16>, {USUAL})",
    "layers.Dense(6, kernel_initializer='he_normal', bias_initializer='ones', "
    "activity_regularizer=<None|'l2'>)",
    "layers.Dense(5)",
    "layers.PReLU()",
    "layers.RepeatVector(3)",
    "layers.Reshape(<({c}, 1)|(1, {c})|(1, 1, {c})>)",
    "layers.Dot(axes=1)([{x}, {y}])",
    "layers.SpectralNormalization(layers.Dense(5))",
    "layers.Discretization(bin_boundaries=[0.0, 0.5])",
    "ops.matmul({x}, ops.ones(({c}, 3)))",
    "ops.one_hot(ops.argmax({x}, axis=-1), {c})",
    "ops.top_k({x}, 2)[0]",
    "ops.sort({x}, axis=-1)",
    "{inner}",
    *ANYWHERE,
)

VOLUMES = (
    f"layers.Conv3D(3, <2|3|1>, strides=<1|2>, padding='<valid|same>', activation={ACTIVATION})",
    "layers.Conv3DTranspose(2, 2, strides=<1|2>, padding='<valid|same>')",
    "layers.<MaxPooling3D|AveragePooling3D>(<2|(1, 2, 2)>)",
    "layers.UpSampling3D((1, 2, 1))",
    "layers.ZeroPadding3D(1)",
    "layers.Cropping3D((1, 0, 0))",
    "layers.ConvLSTM2D(2, <3|2>, padding='<same|valid>', return_sequences=<False|True>)",
    "layers.TimeDistributed(layers.<Conv2D(2, 3)|MaxPooling2D()|Flatten()>)",
    "layers.SpatialDropout3D(0.0)",
    "ops.mean({x}, axis=1)",
    *ANYWHERE,
)

TOKENS = (
    "layers.Embedding(20, <6|4>, mask_zero=<False|True>, embeddings_regularizer=<None|'l2'>)",
    "layers.Embedding(20, 5, embeddings_constraint=<None|constraints.UnitNorm(axis=1)>)",
    "layers.CategoryEncoding(20, output_mode='<multi_hot|count>')",
    "ops.one_hot({x}, 20)",
)

LAYERS = {"images": IMAGES, "sequences": SEQUENCES, "vectors": VECTORS, "volumes": VOLUMES,
          "tokens": TOKENS}  # fmt: skip

INPUTS = (
    "rng.normal(size=(20, <8|10|9>, <8|9>, <3|1|2>))",
    "rng.normal(size=(20, 12, 12, <3|4|16>))",
    "rng.normal(size=(20, <7|12>, <3|5>))",
    "rng.normal(size=(20, <9|5>))",
    "rng.integers(0, 20, (20, <6|11>))",
    "rng.normal(size=(20, 4, 6, 5, <1|2>))",
)

FLATTENED = {
    "images": ("layers.Flatten()", "layers.GlobalAveragePooling2D()", "layers.GlobalMaxPooling2D()",
               "layers.Reshape((-1,))", "ops.mean({x}, axis=(1, 2))",
               "layers.Flatten(data_format='channels_first')"),
    "sequences": ("layers.Flatten()", "layers.GlobalAveragePooling1D()",
                  "layers.GlobalMaxPooling1D()", "layers.LSTM(4)", "{x}[:, 0]"),
    "volumes": ("layers.Flatten()", "layers.GlobalAveragePooling3D()",
                "layers.GlobalMaxPooling3D()"),
    "tokens": ("layers.Flatten()(layers.Embedding(20, 3)({x}))",),
}  # fmt: skip

INNER = (
    "keras.Sequential([keras.Input({shape}), layers.Dense(6, activation='relu'), "
    "layers.BatchNormalization()])",
    "keras.Sequential([layers.Dense(5), layers.Dropout(0.0), layers.Activation('tanh')])",
    "keras.Sequential([keras.Input({shape}), layers.Dense(4)], name='inner')",
)
