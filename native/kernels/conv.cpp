// Direct convolution in float32.
#include "conv.h"
#include "conv_depthwise.h"
#include "epilogue.h"
#include "families.h"

namespace striate {

Entries conv_backward_kernels();
Entries conv_bf16_kernels();

namespace {

// weight: [tap][channel of the group][filters rounded up to 16].
struct Conv final : ConvForward {
  void check(const Check& c) const override {
    check_common(c);
    c.holds("weight", weight, taps() * (channels / groups) * pixel() * 4);
  }

  int64_t scratch() const override {
    return taps_bytes() + rows_for(band()) * width * pixel() * 4;
  }

  void run(const Context& context, Range range) const override {
    begin_statistics(context, range);
    float* sums = reinterpret_cast<float*>(context.scratch + taps_bytes());
    for (int64_t i = range.begin; i < range.end; ++i)
      for (int64_t y = 0; y < pooled_height(); y += band()) {
        const int64_t end = std::min(pooled_height(), y + band());
        const float* from = context.at(input, i) + first_row(y) * stride_y * input.row;
        sum(from, rows_for(end - y), context, sums);
        finish(sums, context, range, i, y, end);
      }
  }

 private:
  int64_t taps_bytes() const { return round_up(taps() * static_cast<int64_t>(sizeof(Tap)), 64); }

  void sum(const float* from, int64_t rows, const Context& context, float* sums) const {
    const float* master = context.at<float>(weight);
    const int64_t ins = channels / groups, outs = filters / groups;
    Tap* taps = reinterpret_cast<Tap*>(context.scratch);
    const bool joined = groups == 1 && dilation_x == 1 && input.pixel == channels;
    const int64_t count = list_taps(taps, joined);
    const Correlation job{taps, count, joined ? kernel_width * ins : ins, pixel(),
                          stride_y * input.row, stride_x * input.pixel, width * pixel(), pixel()};
    if (depthwise()) {
      correlate_channels(job, rows, width, channels, pixel(), from, master, sums);
      return;
    }
    for (int64_t g = 0; g < groups; ++g)
      cover(job, rows, width, g + 1 < groups ? outs : computed() - g * outs, master + g * outs,
            [&](int64_t y, int64_t x) {
              return std::pair{from + g * ins + y * job.input_row + x * job.input_step,
                               sums + g * outs + y * job.output_row + x * job.output_step};
            });
  }

  // Where the columns of the kernel lie side by side in the input, as their weights do, a row of
  // the kernel is one tap.
  int64_t list_taps(Tap* taps, bool joined) const {
    const int64_t weights = channels / groups * pixel();
    int64_t count = 0;
    for (int64_t ky = 0; ky < kernel_height; ++ky)
      for (int64_t kx = 0; kx < (joined ? 1 : kernel_width); ++kx)
        taps[count++] = {ky * dilation_y * input.row + kx * dilation_x * input.pixel,
                         (ky * kernel_width + kx) * weights};
    return count;
  }
};

}  // namespace

Entries conv_kernels() {
  Entries all{entry<Conv>("conv")};
  for (const auto family : {conv_backward_kernels, conv_bf16_kernels})
    for (const Entry& row : family()) all.push_back(row);
  return all;
}

}  // namespace striate
