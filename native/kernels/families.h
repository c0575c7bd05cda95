// The families of kernels. A family is one file; it lists its kernels in a function named here.
#pragma once

#include "../plan.h"

namespace striate {

Entries conv_kernels();
Entries dense_backward_kernels();
Entries dense_kernels();
Entries dropout_kernels();
Entries input_kernels();
Entries layout_kernels();
Entries loss_kernels();
Entries merge_kernels();
Entries norm_channels_kernels();
Entries norm_kernels();
Entries optimizer_kernels();
Entries output_kernels();
Entries pointwise_kernels();
Entries pool_kernels();
Entries sparse_kernels();
Entries warp_kernels();
Entries winograd_backward_kernels();
Entries winograd_kernels();

}  // namespace striate
