// What a plan is made of: buffers in one arena, stages, and in each stage calls of kernels.
//
// A plan comes from Python as a list of 64-bit words (plan.cpp says how they are laid out) and is
// verified before it runs: a call that could leave its buffers is refused with a message.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace striate {

// A mistake in a plan: the planner's, never the user's.
struct PlanError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A part of the arena: `count` pieces of `stride` bytes, 64-byte aligned, with SLACK bytes behind
// the last one that may be read but not written. A piece is a sample of the batch, a slot of a
// gradient (one per block of samples), or, with count 1, the whole of it (a weight).
struct Buffer {
  int64_t offset = 0;
  int64_t stride = 0;
  int64_t count = 0;
};
constexpr int64_t SLACK = 256;

// ---- fields of a kernel --------------------------------------------------------------------------
// A kernel's fields are visited in one fixed order, for their names, their decoding and messages.

using Int = int64_t;
using Real = double;

// A buffer by its number; ABSENT where the kernel can do without.
struct Ref {
  int64_t buffer = -1;
};
constexpr int64_t ABSENT = -1;
inline bool given(Ref ref) { return ref.buffer != ABSENT; }

// An image inside each piece of a buffer of floats: the value at row y, column x, channel c lies at
// origin + y * row + x * pixel + c. A halo of zeros (the padding of a convolution) is room around
// it; channels behind the image's own, up to `pixel` where that is a multiple of GROUP, are zero
// and stay so. Where `pixel` is no multiple of GROUP the pixels are packed: nothing lies between.
struct View {
  Ref ref;
  int64_t origin = 0;
  int64_t row = 0;
  int64_t pixel = 0;
};
inline bool given(const View& view) { return given(view.ref); }
// Channels that a kernel writes for an image of `channels`: the zeros behind them too, if any.
inline int64_t written(const View& view, int64_t channels) {
  return view.pixel % 16 == 0 ? (channels + 15) / 16 * 16 : channels;
}

// ---- what a kernel is given ----------------------------------------------------------------------

// One external array of the run: samples of `stride` bytes, gathered by `order`.
struct Source {
  const void* data = nullptr;
  int64_t stride = 0;
};

// The state of the step at hand; the same for every thread.
struct Step {
  int64_t samples = 0;       // in this batch, at most the plan's
  int64_t first = 0;         // number of its first sample in the run
  const int32_t* order = nullptr;  // of the run's samples: their numbers in the sources; null: 0, 1...
  const Source* sources = nullptr;
  uint64_t seed = 0;         // of the training; with `number` it decides all random draws
  int64_t number = 0;        // of the step, counted over the whole training from 0
  double rate = 0;           // learning rate
  int64_t update = 0;        // of the optimizer, counted from 1
  double* sums = nullptr;    // what the run reports, added to by the last stage
};

// What a kernel is given: the arena, the step, and the thread's own scratch memory.
struct Context {
  char* arena = nullptr;
  const Buffer* buffers = nullptr;
  Step step;
  char* scratch = nullptr;  // this thread's, 64-byte aligned, as many bytes as the call asked for

  template <class T>
  T* at(Ref ref, int64_t piece = 0) const {
    const Buffer& buffer = buffers[ref.buffer];
    return reinterpret_cast<T*>(arena + buffer.offset + buffer.stride * piece);
  }
  float* at(const View& view, int64_t piece) const {
    return at<float>(view.ref, piece) + view.origin;
  }
};

// The work of one task. In a stage over samples: the samples [begin, end) of block `slot`. In a
// stage over parts: the parts [begin, end) of the call's own `parts()`.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t slot = 0;
};

// ---- verification --------------------------------------------------------------------------------

class Check {
 public:
  Check(const std::vector<Buffer>& buffers, int64_t batch, int64_t slots, int64_t sums,
        std::string call)
      : buffers_(buffers), batch_(batch), slots_(slots), sums_(sums), call_(std::move(call)) {}

  int64_t batch() const { return batch_; }
  // Pieces of a slotted buffer: blocks of samples in the stage.
  int64_t slots() const { return slots_; }
  // Numbers that the run reports.
  int64_t sums() const { return sums_; }
  void that(bool holds, const char* what) const;
  // The buffer has `count` pieces with at least `bytes` each.
  void holds(const char* field, Ref ref, int64_t bytes, int64_t count = 1) const;
  // The image of height x width x channels lies inside each of `count` pieces.
  void holds(const char* field, const View& view, int64_t height, int64_t width, int64_t channels,
             int64_t count) const;
  void between(const char* field, int64_t value, int64_t low, int64_t high) const;

 private:
  const std::vector<Buffer>& buffers_;
  int64_t batch_;
  int64_t slots_;
  int64_t sums_;
  std::string call_;
};

// ---- kernels -------------------------------------------------------------------------------------

// The array of the run that a call reads (or, if `written`, writes) and the bytes of a sample there.
struct External {
  Int source = ABSENT;
  Int bytes = 0;
  bool written = false;
};

// A call of a kernel: its fields, filled in. Kernels are structs with fields, a `visit` that names
// them, and these functions.
struct Kernel {
  virtual ~Kernel() = default;
  // Throws PlanError unless every address that `run` can touch is inside its buffers.
  virtual void check(const Check& check) const = 0;
  virtual void run(const Context& context, Range range) const = 0;
  // Tasks in a stage over parts, for a batch of `samples`.
  virtual int64_t parts(int64_t samples) const { return (void)samples, 1; }
  // What it touches outside of the arena.
  virtual External external() const { return {}; }
  // Bytes of scratch memory for each thread.
  virtual int64_t scratch() const { return 0; }
};

// Visits the fields of a kernel to fill them from words.
class Decode {
 public:
  Decode(const int64_t* words, int64_t count) : next_(words), end_(words + count) {}
  void operator()(const char*, Int& field) { field = take(); }
  void operator()(const char*, Real& field);
  void operator()(const char*, Ref& field) { field.buffer = take(); }
  void operator()(const char*, View& field) {
    field.ref.buffer = take();
    field.origin = take();
    field.row = take();
    field.pixel = take();
  }
  bool done() const { return next_ == end_; }

 private:
  int64_t take();
  const int64_t* next_;
  const int64_t* end_;
};

// Visits the fields of a kernel to list them: "input:view channels:int slope:real".
class Describe {
 public:
  void operator()(const char* name, Int&) { add(name, "int"); }
  void operator()(const char* name, Real&) { add(name, "real"); }
  void operator()(const char* name, Ref&) { add(name, "buffer"); }
  void operator()(const char* name, View&) { add(name, "view"); }
  const std::string& text() const { return text_; }

 private:
  void add(const char* name, const char* type) { text_ += std::string(" ") + name + ":" + type; }
  std::string text_;
};

// A row of the table of kernels.
struct Entry {
  const char* name;
  std::unique_ptr<Kernel> (*decode)(const int64_t* words, int64_t count);
  std::string (*fields)();
};

template <class K>
Entry entry(const char* name) {
  return {name,
          [](const int64_t* words, int64_t count) -> std::unique_ptr<Kernel> {
            auto kernel = std::make_unique<K>();
            Decode decode(words, count);
            kernel->visit(decode);
            if (!decode.done()) throw PlanError("more words than fields");
            return kernel;
          },
          [] {
            K kernel;
            Describe describe;
            kernel.visit(describe);
            return describe.text();
          }};
}

// Each family of kernels lists its own; kernels/table.cpp joins them.
using Entries = std::vector<Entry>;
const Entries& all_kernels();

// ---- plans ---------------------------------------------------------------------------------------

enum class Over : int64_t {
  samples,  // tasks are blocks of samples; each goes through all calls of the stage in order
  parts,    // tasks are the parts of every call; calls of one stage do not depend on each other
  nothing,  // one task, done by the thread that ends the stage before it, while the others wait
};

struct Stage {
  Over over = Over::samples;
  int64_t block = 1;  // samples per task
  std::vector<std::unique_ptr<Kernel>> calls;
};

struct Plan {
  int64_t batch = 0;
  int64_t arena_bytes = 0;
  int64_t scratch_bytes = 0;
  int64_t sums = 0;
  std::vector<Buffer> buffers;
  std::vector<Stage> stages;
};

Plan decode_plan(const int64_t* words, int64_t count);

}  // namespace striate
