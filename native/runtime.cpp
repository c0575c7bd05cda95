// Runs plans: many steps per call, on several threads, and the C interface that Python calls.
//
// Every thread walks through the same steps and stages. In a stage the tasks are claimed one by one
// from a counter, so that a thread that is held up by other programs takes fewer; what a task
// computes, and where it puts it, does not depend on the thread. So the results are the same bits
// for any number of threads.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "plan.h"
#include "team.h"
#include "transpose.h"

namespace striate {
namespace {

// How fast one thread is, as far as is known.
struct Pace {
  int64_t steps = 0;             // that were measured
  double nanoseconds = 0;        // of the fastest of them, per sample
};

// An engine that was given a plan: the plan and its memory.
class Engine {
 public:
  explicit Engine(Plan plan) : plan_(std::move(plan)), arena_(allocate(plan_.arena_bytes)) {
    for (const Buffer& buffer : plan_.buffers) homes_.push_back(buffer.offset);
  }
  ~Engine() {
    std::free(arena_);
    for (char* scratch : scratch_) std::free(scratch);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const Plan& plan() const { return plan_; }
  char* arena() const { return arena_; }
  char* scratch(int64_t member) { return scratch_[static_cast<size_t>(member)]; }
  Pace& pace(int64_t end_stage) { return paces_[static_cast<size_t>(end_stage - 1)]; }
  // Lets a buffer of one piece lie in other memory, or, without any, in the arena again. As much of
  // it is used as the calls of the plan use: nothing behind a weight of a dense layer without gaps.
  // False where that cannot be.
  bool place(int64_t buffer, const char* memory) {
    if (buffer < 0 || buffer >= static_cast<int64_t>(homes_.size())) return false;
    const auto number = static_cast<size_t>(buffer);
    const auto there = reinterpret_cast<intptr_t>(memory);
    if (plan_.buffers[number].count != 1 || there % 64 != 0) return false;
    const std::lock_guard<std::mutex> lock(busy_);
    plan_.buffers[number].offset =
        there == 0 ? homes_[number] : there - reinterpret_cast<intptr_t>(arena_);
    return true;
  }
  // The right to run: one run at a time has the arena.
  std::unique_lock<std::mutex> reserve() { return std::unique_lock<std::mutex>(busy_); }
  void prepare(int64_t threads) {
    while (static_cast<int64_t>(scratch_.size()) < threads)
      scratch_.push_back(allocate(plan_.scratch_bytes + SLACK));
  }

 private:
  // Zeroed, and touched here once, so that no step pays for the system's first touch. On large pages
  // where there are enough bytes for some, so that few addresses have to be translated.
  static char* allocate(int64_t bytes) {
    const size_t page = bytes < 2 * LARGE_PAGE ? 4096 : LARGE_PAGE;
    const size_t size = (static_cast<size_t>(bytes) / page + 1) * page;
    void* memory = std::aligned_alloc(page, size);
    if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (page == LARGE_PAGE) madvise(memory, size, MADV_HUGEPAGE);
#endif
    std::memset(memory, 0, size);
    return static_cast<char*>(memory);
  }
  static constexpr int64_t LARGE_PAGE = int64_t{1} << 21;

  Plan plan_;
  char* arena_;
  std::vector<int64_t> homes_;  // of the buffers, in the arena
  std::vector<char*> scratch_;
  std::vector<Pace> paces_{std::vector<Pace>(plan_.stages.size())};
  std::mutex busy_;
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

// One array that samples are gathered from.
struct striate_source {
  const void* data;
  int64_t stride;  // bytes from one sample to the next
  int64_t count;   // samples
};

// What is to be run: `samples` samples, in steps of the plan's batch (the last may be smaller).
struct striate_work {
  const striate_source* sources;
  int64_t sources_count;
  const int32_t* order;
  int64_t samples;                 // numbered by `order`, or without it from 0
  int64_t first_stage, end_stage;  // a part of the plan, where torch does the rest
  const double* rates;             // learning rate of each step; null if nothing is trained
  uint64_t seed;
  int64_t number;                  // of the first step, in the whole training
  int64_t update;                  // of the first step's optimizer update, from 1
  double* sums;                    // added to
  int64_t threads;
  const int32_t* stop;             // not 0: end after this step; may be null
  // What is copied before the first step and after the last one, or null.
  const striate_block* before;
  int64_t before_count;
  const striate_block* after;
  int64_t after_count;
  int64_t left_out, left_out_count;  // stages of that part that are not run, and how many
};

}  // extern "C"
#pragma GCC visibility pop

namespace {

// What WORTH_NS is where runs follow each other so closely that the other thread still spins; a first
// measurement may be some times too large, since nothing is in the caches yet.
constexpr double WORTH_AWAKE_NS = 20'000;
constexpr int64_t AWAKE_NS = 50'000;
constexpr double COLD = 10;
constexpr int64_t MEASURED = 3;  // steps after which the caches are known to be warm

// When other programs take a core, its thread holds up all others at every stage. Where a member was
// kept from working for this share of several windows in a row, or a run was so much longer than one
// thread's own, one thread goes on alone, each time for longer. One window says little: each second
// Linux takes a core from a thread of real-time priority for 50 ms.
constexpr double HELD_UP = 0.25;
constexpr int64_t WINDOW_NS = 10'000'000, WINDOWS = 3;
constexpr int64_t ALONE_NS = 50'000'000;

// The time that a thread had, and could have worked in, since a moment.
struct Window {
  int64_t began = now_ns();
  int64_t worked = worked_ns();
  int64_t slept = 0;

  bool full() const { return now_ns() - began >= WINDOW_NS; }
  // The share of it in which the thread wanted to work and could not.
  double lost() const {
    const double wall = static_cast<double>(now_ns() - began);
    return (wall - static_cast<double>(slept + worked_ns() - worked)) / wall;
  }
};

class Run {
 public:
  Run(Engine& engine, const striate_work& work)
      : engine_(engine),
        reserved_(engine.reserve()),
        plan_(engine.plan()),
        work_(work),
        steps_((work.samples + plan_.batch - 1) / plan_.batch),
        end_(work.end_stage - work.left_out_count),
        pace_(engine.pace(end_)),
        team_reserved_(work.threads > 1 ? team_.reserve() : std::unique_lock<std::mutex>()),
        members_(team_reserved_.owns_lock() ? team_.gather(work.threads) : 1),
        held_up_(static_cast<size_t>(members_), -1.0) {
    for (int64_t i = 0; i < work.sources_count; ++i)
      sources_.push_back({work.sources[i].data, work.sources[i].stride});
    engine_.prepare(members_);
  }

  // The number of steps made.
  int64_t go() {
    while (!finished_) {
      together_ = worth_sharing();
      gate_.members(together_ ? members_ : 1);
      leave_ = false;
      step_began_ = now_ns();
      if (together_)
        go_together();
      else
        walk(0);
    }
    if (team_reserved_.owns_lock()) team_.left_ns = now_ns();
    return step_;
  }

 private:
  void go_together() {
    const int64_t first = step_;
    team_.run(members_, [this](int64_t member) { walk(member); });
    const double alone = pace_.nanoseconds * static_cast<double>((step_ - first) * plan_.batch);
    if (finished_) team_.judge(now_ns() - step_began_, alone);
  }

  bool worth_sharing() const {
    if (members_ == 1 || pace_.steps == 0 || team_.alone()) return false;
    const double left = static_cast<double>(work_.samples - step_ * plan_.batch);
    const double worth = now_ns() - team_.left_ns < AWAKE_NS ? WORTH_AWAKE_NS : WORTH_NS;
    return left * pace_.nanoseconds > worth * (pace_.steps < MEASURED ? COLD : 1);
  }

  void walk(int64_t member) {
    Context context{engine_.arena(), plan_.buffers.data(), {}, engine_.scratch(member)};
    double& held_up = held_up_[static_cast<size_t>(member)];
    Window window;
    if (step_ == 0 && work_.before_count > 0) {
      move(work_.before, work_.before_count);
      gate_.meet([] {});
    }
    while (!leave_) {
      describe(context.step, step_);
      for (int64_t s = work_.first_stage; s < end_;) {
        work_through(stage_at(s), context);
        const int64_t next = shared_after(s);
        const bool last = next == end_;
        if (last && together_ && window.full()) held_up = window.lost(), window = {};
        window.slept += gate_.meet([&] {
          for (; s < next; ++s) finish(stage_at(s), context);
          if (last) end_step(context.step.samples);
        });
        s = next;
      }
    }
    if (finished_) move(work_.after, work_.after_count);
  }

  // Copies matrices that no other member copies.
  void move(const striate_block* blocks, int64_t count) {
    int64_t task = gate_.claim(), begin = 0;  // of this block's matrices, among those of all blocks
    for (const striate_block* one = blocks; one != blocks + count; ++one) {
      for (; task < begin + one->count; task = gate_.claim()) move_matrix(*one, task - begin);
      begin += one->count;
    }
  }

  // The first stage behind `s` that is shared out, or the end.
  int64_t shared_after(int64_t s) const {
    for (++s; s < end_ && stage_at(s).over == Over::nothing;) ++s;
    return s;
  }

  // What one thread does while the others wait.
  static void finish(const Stage& stage, const Context& context) {
    if (stage.over != Over::nothing) return;
    for (const auto& call : stage.calls) call->run(context, {0, 1, 0});
  }

  void work_through(const Stage& stage, const Context& context) {
    const int64_t samples = context.step.samples;
    if (stage.over == Over::samples) {
      const int64_t tasks = (samples + stage.block - 1) / stage.block;
      for (int64_t i; (i = gate_.claim()) < tasks;) {
        const Range range{i * stage.block, std::min(samples, (i + 1) * stage.block), i};
        for (const auto& call : stage.calls) call->run(context, range);
      }
    }
    if (stage.over != Over::parts) return;
    int64_t task = gate_.claim(), begin = 0;  // of the parts of this call, among those of all calls
    for (const auto& call : stage.calls) {
      const int64_t end = begin + call->parts(samples);
      for (; task < end; task = gate_.claim()) call->run(context, {task - begin, task - begin + 1, 0});
      begin = end;
    }
  }

  void describe(Step& step, int64_t number) const {
    const int64_t begin = number * plan_.batch;
    step.samples = std::min(plan_.batch, work_.samples - begin);
    step.first = begin;
    step.order = work_.order;
    step.sources = sources_.data();
    step.seed = work_.seed;
    step.number = work_.number + number;
    step.rate = work_.rates == nullptr ? 0 : work_.rates[number];
    step.update = work_.update + number;
    step.sums = work_.sums;
  }

  // Only one thread is here, and all others wait for it.
  void end_step(int64_t samples) {
    ++step_;
    const bool stopped = work_.stop != nullptr && __atomic_load_n(work_.stop, __ATOMIC_RELAXED) != 0;
    finished_ = step_ == steps_ || stopped;
    if (!together_) measure(samples);
    leave_ = finished_ || (together_ ? held_up() : worth_sharing());
  }

  // Whether a member was kept from working for too long; then one goes on alone for a while.
  bool held_up() {
    const double worst = *std::max_element(held_up_.begin(), held_up_.end());
    if (worst < 0) return false;  // no window has ended
    std::fill(held_up_.begin(), held_up_.end(), -1.0);
    if (worst < HELD_UP) {
      team_.held_up = 0;
      team_.alone_ns /= 2;
      return false;
    }
    if (++team_.held_up < WINDOWS) return false;
    team_.held_up = 0;
    team_.stand_aside(ALONE_NS);
    return true;
  }

  // Notes how long the step took that one thread made alone.
  void measure(int64_t samples) {
    const int64_t now = now_ns();
    const double pace = static_cast<double>(now - step_began_) / static_cast<double>(samples);
    if (pace_.steps == 0 || pace < pace_.nanoseconds) pace_.nanoseconds = pace;
    ++pace_.steps;
    step_began_ = now;
  }

  // A stage by its number among those that are run.
  const Stage& stage_at(int64_t s) const {
    return plan_.stages[static_cast<size_t>(s < work_.left_out ? s : s + work_.left_out_count)];
  }

  Engine& engine_;
  const std::unique_lock<std::mutex> reserved_;
  const Plan& plan_;
  const striate_work& work_;
  std::vector<Source> sources_;
  const int64_t steps_;
  const int64_t end_;  // of the stages, numbered without those that are left out
  Pace& pace_;
  Team& team_ = Team::instance();
  const std::unique_lock<std::mutex> team_reserved_;
  const int64_t members_;
  Gate gate_{1};
  std::vector<double> held_up_;  // share of the last window that each member lost; -1: not known yet
  int64_t step_ = 0;
  int64_t step_began_ = 0;
  bool together_ = false;
  bool leave_ = false;     // the walk ends with this step
  bool finished_ = false;  // the run does
};

void tell(char* error, int64_t bytes, const char* what) {
  if (error != nullptr && bytes > 0) std::snprintf(error, static_cast<size_t>(bytes), "%s", what);
}

// What of the work could leave this array, or nothing.
const char* fault(const External& external, const striate_work& work) {
  if (external.source == ABSENT) return nullptr;
  if (external.source >= work.sources_count) return "a source is missing";
  const striate_source& source = work.sources[external.source];
  if (source.stride < external.bytes) return "the samples of a source are too small";
  if (external.written || work.order == nullptr)
    return source.count < work.samples ? "a source has fewer samples than the run" : nullptr;
  const auto there = [&](int32_t number) { return number >= 0 && number < source.count; };
  return std::all_of(work.order, work.order + work.samples, there)
             ? nullptr
             : "the order names a sample that is not there";
}

// What of the work could leave its arrays, or nothing.
const char* fault(const Plan& plan, const striate_work& work) {
  const int64_t stages = static_cast<int64_t>(plan.stages.size());
  if (work.first_stage < 0 || work.first_stage >= work.end_stage || work.end_stage > stages)
    return "there are no such stages";
  const int64_t left_out_end = work.left_out + work.left_out_count;
  if (work.left_out_count < 0 ||
      (work.left_out_count > 0 &&
       (work.left_out <= work.first_stage || left_out_end >= work.end_stage)))
    return "the stages that are left out do not lie between others";
  if (work.samples < 1 || plan.batch < 1) return "there are no samples";
  if (plan.sums > 0 && work.sums == nullptr) return "there is no place for the sums";
  for (int64_t s = work.first_stage; s < work.end_stage; ++s) {
    if (s >= work.left_out && s < left_out_end) continue;
    for (const auto& call : plan.stages[static_cast<size_t>(s)].calls)
      if (const char* what = fault(call->external(), work)) return what;
  }
  return nullptr;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

// The names of all kernels and their fields, one kernel per line, in the order of their numbers.
const char* striate_kernels() {
  static const std::string text = [] {
    std::string lines;
    for (const Entry& row : all_kernels()) lines += row.name + row.fields() + "\n";
    return lines;
  }();
  return text.c_str();
}

// A verified plan with its memory, or null and a message.
void* striate_new(const int64_t* words, int64_t count, char* error, int64_t error_bytes) {
  try {
    return new Engine(decode_plan(words, count));
  } catch (const std::bad_alloc&) {
    tell(error, error_bytes, "not enough memory");
  } catch (const std::exception& problem) {
    tell(error, error_bytes, problem.what());
  }
  return nullptr;
}

void striate_free(void* engine) { delete static_cast<Engine*>(engine); }

char* striate_arena(void* engine) { return static_cast<Engine*>(engine)->arena(); }

// 0, or -1 where the buffer has several pieces, or the memory is not aligned.
int64_t striate_place(void* engine, int64_t buffer, const char* memory) {
  return static_cast<Engine*>(engine)->place(buffer, memory) ? 0 : -1;
}

// The number of steps made, or -1 and a message.
int64_t striate_run(void* engine, const striate_work* work, char* error, int64_t error_bytes) {
  try {
    Engine& mine = *static_cast<Engine*>(engine);
    if (const char* what = fault(mine.plan(), *work)) {
      tell(error, error_bytes, what);
      return -1;
    }
    return Run(mine, *work).go();
  } catch (const std::exception& problem) {
    tell(error, error_bytes, problem.what());
    return -1;
  }
}

}  // extern "C"
#pragma GCC visibility pop

}  // namespace striate
