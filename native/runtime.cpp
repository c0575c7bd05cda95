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

#include "plan.h"
#include "team.h"

namespace striate {
namespace {

// An engine that was given a plan: the plan and its memory.
class Engine {
 public:
  explicit Engine(Plan plan) : plan_(std::move(plan)), arena_(allocate(plan_.arena_bytes)) {}
  ~Engine() {
    std::free(arena_);
    for (char* scratch : scratch_) std::free(scratch);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const Plan& plan() const { return plan_; }
  char* arena() const { return arena_; }
  char* scratch(int64_t member) { return scratch_[static_cast<size_t>(member)]; }
  void prepare(int64_t threads) {
    while (static_cast<int64_t>(scratch_.size()) < threads)
      scratch_.push_back(allocate(plan_.scratch_bytes + SLACK));
  }

 private:
  // Zeroed, and touched here once, so that no step pays for the system's first touch.
  static char* allocate(int64_t bytes) {
    const size_t size = static_cast<size_t>((bytes + 4095) / 4096 * 4096 + 4096);
    void* memory = std::aligned_alloc(4096, size);
    if (memory == nullptr) throw std::bad_alloc();
    std::memset(memory, 0, size);
    return static_cast<char*>(memory);
  }

  Plan plan_;
  char* arena_;
  std::vector<char*> scratch_;
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
  const volatile int32_t* stop;    // not 0: end after this step; may be null
};

}  // extern "C"
#pragma GCC visibility pop

namespace {

// When other programs take a core, its thread holds up all others at every stage. A member that was
// kept from working for this share of the time is not worth waiting for.
constexpr double HELD_UP = 0.25;
constexpr int64_t WINDOW_NS = 10'000'000;
constexpr int64_t ALONE_NS = 50'000'000;
constexpr int64_t LONGEST_ALONE_NS = 800'000'000;

class Run {
 public:
  Run(Engine& engine, const striate_work& work)
      : engine_(engine),
        plan_(engine.plan()),
        work_(work),
        steps_((work.samples + plan_.batch - 1) / plan_.batch),
        reserved_(work.threads > 1 ? team_.reserve() : std::unique_lock<std::mutex>()),
        members_(reserved_.owns_lock() ? work.threads : 1),
        active_(members_),
        gate_(members_),
        held_up_(static_cast<size_t>(members_), 0.0) {
    for (int64_t i = 0; i < work.sources_count; ++i)
      sources_.push_back({work.sources[i].data, work.sources[i].stride});
    engine_.prepare(members_);
  }

  // The number of steps made.
  int64_t go() {
    if (members_ == 1) {
      walk(0);
    } else {
      if (now_ns() < team_.alone_until_ns) park();
      team_.run(members_, [this](int64_t member) { walk(member); });
    }
    return step_;
  }

 private:
  void walk(int64_t member) {
    Context context{engine_.arena(), plan_.buffers.data(), {}, engine_.scratch(member)};
    int64_t since = now_ns(), worked = worked_ns(), slept = 0;
    while (!finished_) {
      if (member >= active_) {  // parked: another program has this thread's core
        parked_.wait_past(parked_seen_);
        since = now_ns(), worked = worked_ns(), slept = 0;
        continue;
      }
      describe(context.step, step_);
      for (int64_t s = work_.first_stage; s < work_.end_stage;)
        s = pass(context, s, slept, [&] {
          const int64_t now = now_ns();
          if (now - since < WINDOW_NS) return;
          const int64_t busy = worked_ns();
          const double lost = static_cast<double>(now - since - slept - (busy - worked));
          held_up_[static_cast<size_t>(member)] = lost / static_cast<double>(now - since);
          since = now, worked = busy, slept = 0;
        });
      const bool alone = member == 0 && active_ < members_;
      if (alone && (finished_ || now_ns() > team_.alone_until_ns)) unpark();
    }
  }

  // Runs one stage that is shared out, and what follows it on one thread; the stage after those.
  template <class Measure>
  int64_t pass(Context& context, int64_t first, int64_t& slept, const Measure& measure) {
    const Stage& stage = stage_at(first);
    if (stage.over != Over::nothing) work_through(stage, context);
    int64_t next = stage.over == Over::nothing ? first : first + 1;
    const int64_t alone = next;
    while (next < work_.end_stage && stage_at(next).over == Over::nothing) ++next;
    const bool last = next == work_.end_stage;
    if (last) measure();
    slept += gate_.meet([&] {
      for (int64_t s = alone; s < next; ++s)
        for (const auto& call : stage_at(s).calls) call->run(context, {0, 1, 0});
      if (last) end_step();
    });
    return next;
  }

  void work_through(const Stage& stage, const Context& context) {
    const int64_t samples = context.step.samples;
    if (stage.over == Over::samples) {
      const int64_t tasks = (samples + stage.block - 1) / stage.block;
      for (int64_t i; (i = gate_.claim()) < tasks;) {
        const Range range{i * stage.block, std::min(samples, (i + 1) * stage.block), i};
        for (const auto& call : stage.calls) call->run(context, range);
      }
      return;
    }
    int64_t begin = 0;  // of the parts of the call at hand, among those of all calls
    size_t c = 0;
    int64_t parts = stage.calls.empty() ? 0 : stage.calls[0]->parts(samples);
    for (int64_t i = gate_.claim(); c < stage.calls.size();) {
      if (i < begin + parts) {
        stage.calls[c]->run(context, {i - begin, i - begin + 1, 0});
        i = gate_.claim();
      } else {
        begin += parts;
        if (++c < stage.calls.size()) parts = stage.calls[c]->parts(samples);
      }
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
  void end_step() {
    ++step_;
    if (step_ == steps_ || (work_.stop != nullptr && *work_.stop != 0)) finished_ = true;
    if (members_ > 1) share_out();
  }

  void share_out() {
    if (active_ < members_) return;
    const double worst = *std::max_element(held_up_.begin(), held_up_.end());
    std::fill(held_up_.begin(), held_up_.end(), 0.0);
    if (worst < HELD_UP) return;
    team_.alone_ns = std::clamp(team_.alone_ns * 2, ALONE_NS, LONGEST_ALONE_NS);
    team_.alone_until_ns = now_ns() + team_.alone_ns;
    park();
  }

  void park() {
    parked_seen_ = parked_.value();
    active_ = 1;
    gate_.members(1);
  }

  // Between two steps of the member that is alone, since the others begin as soon as they wake.
  void unpark() {
    gate_.members(members_);
    active_ = members_;
    parked_.next();
  }

  const Stage& stage_at(int64_t s) const { return plan_.stages[static_cast<size_t>(s)]; }

  Engine& engine_;
  const Plan& plan_;
  const striate_work& work_;
  std::vector<Source> sources_;
  const int64_t steps_;
  Team& team_ = Team::instance();
  const std::unique_lock<std::mutex> reserved_;
  const int64_t members_;
  std::atomic<int64_t> active_;
  Gate gate_;
  std::vector<double> held_up_;  // share of the last window that each member was kept from working
  int64_t step_ = 0;
  std::atomic<bool> finished_{false};
  Signal parked_;
  uint32_t parked_seen_ = 0;
};

void tell(char* error, int64_t bytes, const char* what) {
  if (error != nullptr && bytes > 0) std::snprintf(error, static_cast<size_t>(bytes), "%s", what);
}

// What of the work could leave its arrays, or nothing.
const char* fault(const Plan& plan, const striate_work& work) {
  const int64_t stages = static_cast<int64_t>(plan.stages.size());
  if (work.first_stage < 0 || work.first_stage >= work.end_stage || work.end_stage > stages)
    return "there are no such stages";
  if (work.samples < 1 || plan.batch < 1) return "there are no samples";
  if (plan.sums > 0 && work.sums == nullptr) return "there is no place for the sums";
  for (int64_t i = 0; i < work.sources_count; ++i) {
    if (work.order == nullptr && work.sources[i].count < work.samples)
      return "a source has fewer samples than the run";
    for (int64_t j = 0; work.order != nullptr && j < work.samples; ++j)
      if (work.order[j] < 0 || work.order[j] >= work.sources[i].count)
        return "the order names a sample that is not there";
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
