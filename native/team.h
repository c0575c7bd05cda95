// The threads that run plans together, and where they wait for each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>

namespace striate {

int64_t now_ns();     // a steady clock
int64_t worked_ns();  // processor time of this thread

// To wake another thread costs as much as this work.
constexpr double WORTH_NS = 60'000;

// A number that threads wait on: they spin a moment, then sleep until it is changed.
class Signal {
 public:
  uint32_t value() const { return value_.load(std::memory_order_acquire); }
  // Changes the value and wakes all who wait.
  void next();
  // Returns when the value is no longer `seen`; the nanoseconds slept.
  int64_t wait_past(uint32_t seen);

 private:
  std::atomic<uint32_t> value_{0};
  std::atomic<int32_t> sleepers_{0};
};

// The process's threads. One job at a time has them; others run on their callers' own threads.
class Team {
 public:
  static Team& instance();
  // The right to use the team, or a lock that owns nothing while another job has it.
  std::unique_lock<std::mutex> reserve() { return {busy_, std::try_to_lock}; }
  // Threads that there are for `threads`, the caller's included: fewer where the system has no more.
  int64_t gather(int64_t threads);
  // Runs work(member) on gathered threads, the caller being member 0; returns when all are done.
  void run(int64_t threads, const std::function<void(int64_t member)>& work);
  // Runs work(), which shares itself out, on this thread and on others where that is worth it: one
  // thread needs about `one_ns` for it. Returns when all is done.
  static void share(int64_t threads, double one_ns, const std::function<void()>& work);

  // Whether one thread shall go on alone, since other programs need a core.
  bool alone() const { return now_ns() < alone_until_ns_; }
  // Lets one thread go on alone from now on, for longer if that was so lately.
  void stand_aside(int64_t least_ns);
  // Does so shortly where a run on several threads took much longer than one of them needs.
  void judge(int64_t took_ns, double one_ns);

  // For the holder of the reservation: how long one thread was to go on alone the last time, and in
  // how many windows in a row a member was held up.
  int64_t alone_ns = 0;
  int64_t held_up = 0;
  // When the last run ended.
  int64_t left_ns = 0;

 private:
  void serve(int64_t member, uint32_t seen);

  std::mutex busy_;
  int64_t alone_until_ns_ = 0;
  int64_t members_ = 0;  // besides the caller; they end with the process
  const std::function<void(int64_t)>* work_ = nullptr;
  int64_t wanted_ = 0;
  Signal begin_;
  Signal done_;
  std::atomic<int64_t> running_{0};
};

// Gives out the tasks of a stage, and holds the members until the last of them is through.
class Gate {
 public:
  explicit Gate(int64_t members) : members_(members) {}
  int64_t claim() { return next_.fetch_add(1, std::memory_order_relaxed); }
  // Returns when every member has come; the last one runs `last` before it lets the others go on.
  template <class Last>
  int64_t meet(const Last& last) {
    const uint32_t seen = signal_.value();
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 < members_)
      return signal_.wait_past(seen);
    last();
    arrived_.store(0, std::memory_order_relaxed);
    next_.store(0, std::memory_order_relaxed);
    signal_.next();
    return 0;
  }
  // Changes the number of members; only while none of them is at work.
  void members(int64_t count) { members_ = count; }

 private:
  int64_t members_;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int64_t> arrived_{0};
  Signal signal_;
};

}  // namespace striate
