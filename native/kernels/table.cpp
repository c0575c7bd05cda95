// The table of all kernels; a kernel's number is its place in it.
#include "families.h"

namespace striate {

const Entries& all_kernels() {
  static const Entries table = [] {
    Entries all;
    for (const auto family :
         {conv_kernels, dense_backward_kernels, dense_kernels, dropout_kernels, input_kernels,
          layout_kernels, loss_kernels, merge_kernels, norm_channels_kernels, norm_kernels,
          optimizer_kernels, output_kernels, pointwise_kernels, pool_kernels, sparse_kernels,
          warp_kernels, winograd_backward_kernels, winograd_kernels})
      for (const Entry& row : family()) all.push_back(row);
    return all;
  }();
  return table;
}

}  // namespace striate
