// Decodes and verifies plans. The words of a plan:
//   batch, arena bytes, sums, buffers, stages;
//   per buffer: offset, stride, count;
//   per stage: over, block, calls; per call: kernel number, words, the words.
#include "plan.h"

#include <algorithm>
#include <cstring>

namespace striate {

void Decode::operator()(const char*, Real& field) {
  const int64_t word = take();
  std::memcpy(&field, &word, sizeof field);
}

int64_t Decode::take() {
  if (next_ == end_) throw PlanError("fewer words than fields");
  return *next_++;
}

void Check::that(bool holds, const char* what) const {
  if (!holds) throw PlanError(call_ + ": " + what);
}

void Check::between(const char* field, int64_t value, int64_t low, int64_t high) const {
  if (value < low || value > high)
    throw PlanError(call_ + ": " + field + " = " + std::to_string(value) + ", need " +
                    std::to_string(low) + " to " + std::to_string(high));
}

void Check::holds(const char* field, Ref ref, int64_t bytes, int64_t count) const {
  if (ref.buffer < 0 || ref.buffer >= static_cast<int64_t>(buffers_.size()))
    throw PlanError(call_ + ": " + field + " is no buffer");
  const Buffer& buffer = buffers_[static_cast<size_t>(ref.buffer)];
  if (bytes < 0 || bytes > buffer.stride || count > buffer.count)
    throw PlanError(call_ + ": " + field + " has " + std::to_string(buffer.count) + " x " +
                    std::to_string(buffer.stride) + " bytes, needs " + std::to_string(count) +
                    " x " + std::to_string(bytes));
}

void Check::holds(const char* field, const View& view, int64_t height, int64_t width,
                  int64_t channels, int64_t count) const {
  constexpr int64_t LARGE = int64_t{1} << 31;  // no product of two such numbers overflows
  for (int64_t n : {view.origin, view.row, view.pixel, height, width, channels})
    that(n >= 0 && n < LARGE, "a size of an image is negative or too large");
  that(view.pixel >= channels || width <= 1, "the pixels of an image overlap");
  if (height == 0 || width == 0) return;
  const int64_t last = view.origin + (height - 1) * view.row + (width - 1) * view.pixel +
                       (view.pixel % 16 == 0 ? (channels + 15) / 16 * 16 : channels);
  holds(field, view.ref, last * static_cast<int64_t>(sizeof(float)), count);
}

namespace {

class Words {
 public:
  Words(const int64_t* words, int64_t count) : next_(words), left_(count) {}
  int64_t take() {
    if (left_ < 1) throw PlanError("the plan ends in the middle");
    --left_;
    return *next_++;
  }
  int64_t number(int64_t most) {
    const int64_t n = take();
    if (n < 0 || n > most) throw PlanError("a number of the plan is out of range");
    return n;
  }
  const int64_t* several(int64_t count) {
    if (count < 0 || count > left_) throw PlanError("the plan ends in the middle");
    const int64_t* at = next_;
    next_ += count;
    left_ -= count;
    return at;
  }
  bool done() const { return left_ == 0; }

 private:
  const int64_t* next_;
  int64_t left_;
};

constexpr int64_t MOST = int64_t{1} << 40;   // bytes
constexpr int64_t MANY = int64_t{1} << 20;   // things in a list

}  // namespace

Plan decode_plan(const int64_t* words, int64_t count) {
  Words in(words, count);
  Plan plan;
  plan.batch = in.number(MANY);
  plan.arena_bytes = in.number(MOST);
  plan.sums = in.number(MANY);
  const int64_t buffers = in.number(MANY);
  const int64_t stages = in.number(MANY);
  int64_t end = 0;  // of the last buffer, rounded up to the next place for one
  for (int64_t i = 0; i < buffers; ++i) {
    Buffer buffer;
    buffer.offset = in.number(MOST);
    buffer.stride = in.number(MOST);
    buffer.count = in.number(MANY);
    const bool aligned = buffer.offset % 64 == 0 && (buffer.count == 1 || buffer.stride % 64 == 0);
    if (!aligned || buffer.stride > MOST / (buffer.count + 1) ||
        buffer.offset + buffer.stride * buffer.count + SLACK > plan.arena_bytes)
      throw PlanError("buffer " + std::to_string(i) + " is not inside the arena, or not aligned");
    end = std::max(end, (buffer.offset + buffer.stride * buffer.count + SLACK + 63) / 64 * 64);
    plan.buffers.push_back(buffer);
  }
  if (plan.arena_bytes > end) throw PlanError("the arena is larger than its buffers");
  for (int64_t i = 0; i < stages; ++i) {
    Stage stage;
    stage.over = static_cast<Over>(in.number(static_cast<int64_t>(Over::nothing)));
    stage.block = in.number(MANY);
    if (stage.block < 1) throw PlanError("a block has no samples");
    const int64_t calls = in.number(MANY);
    for (int64_t j = 0; j < calls; ++j) {
      const int64_t kernel = in.number(static_cast<int64_t>(all_kernels().size()) - 1);
      const int64_t size = in.number(MANY);
      const Entry& row = all_kernels()[static_cast<size_t>(kernel)];
      stage.calls.push_back(row.decode(in.several(size), size));
      const std::string where = "stage " + std::to_string(i) + ", " + row.name;
      const int64_t slots = (plan.batch + stage.block - 1) / stage.block;
      stage.calls.back()->check(Check(plan.buffers, plan.batch, slots, plan.sums, where));
      const int64_t scratch = stage.calls.back()->scratch();
      if (scratch < 0 || scratch > MOST) throw PlanError(where + ": too large");
      if (scratch > plan.scratch_bytes) plan.scratch_bytes = scratch;
    }
    plan.stages.push_back(std::move(stage));
  }
  if (!in.done()) throw PlanError("the plan goes on after its end");
  return plan;
}

}  // namespace striate
