#include "team.h"

#include <ctime>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <system_error>
#include <thread>

namespace striate {

namespace {

// Longer than threads drift apart in a stage, and than it takes to wake one; far shorter than a
// time slice, so that little is taken from other programs.
constexpr int64_t SPIN_NS = 100'000;
constexpr int PAUSES = 32;  // between looks at the clock

constexpr double LATE_NS = 300'000;
constexpr int64_t SHORTLY_ALONE_NS = 1'000'000, LONGEST_ALONE_NS = 800'000'000;

inline void pause_a_moment() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

#if defined(__linux__)
void sleep_while(std::atomic<uint32_t>& word, uint32_t seen) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_PRIVATE, seen, nullptr);
}
void wake_all(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, INT32_MAX);
}
#else
// Never destroyed: members still wait on them while the process ends.
std::mutex& sleeping = *new std::mutex;
std::condition_variable& woken = *new std::condition_variable;
void sleep_while(std::atomic<uint32_t>& word, uint32_t seen) {
  std::unique_lock<std::mutex> lock(sleeping);
  woken.wait(lock, [&] { return word.load() != seen; });
}
void wake_all(std::atomic<uint32_t>&) {
  { const std::lock_guard<std::mutex> lock(sleeping); }
  woken.notify_all();
}
#endif

int64_t clock_ns(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return int64_t{t.tv_sec} * 1000000000 + t.tv_nsec;
}

}  // namespace

int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }
int64_t worked_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

void Signal::next() {
  value_.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) > 0) wake_all(value_);
}

int64_t Signal::wait_past(uint32_t seen) {
  int64_t began = now_ns();
  for (const int64_t end = began + SPIN_NS; began < end; began = now_ns())
    for (int i = 0; i < PAUSES; ++i) {
      if (value() != seen) return 0;
      pause_a_moment();
    }
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  while (value_.load(std::memory_order_seq_cst) == seen) sleep_while(value_, seen);
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
  return now_ns() - began;
}

Team& Team::instance() {
  // A forked child has none of its parent's threads: it begins with a team of its own. What the
  // parent had is left as it is, since its locks may be held.
  static std::atomic<Team*> team{nullptr};
  static std::once_flag once;
  std::call_once(once, [] {
    team = new Team;
    pthread_atfork(nullptr, nullptr, [] { team = new Team; });
  });
  return *team;
}

int64_t Team::gather(int64_t threads) {
  try {
    for (; members_ + 1 < threads; ++members_)
      std::thread(&Team::serve, this, members_ + 1, begin_.value()).detach();
  } catch (const std::system_error&) {
  }
  return std::min(threads, members_ + 1);
}

void Team::run(int64_t threads, const std::function<void(int64_t)>& work) {
  work_ = &work;
  wanted_ = threads;
  running_.store(members_, std::memory_order_relaxed);
  begin_.next();
  work(0);
  // The value is read first: the signal of a job before this one may still come.
  for (uint32_t seen = done_.value(); running_.load(std::memory_order_acquire) > 0;
       seen = done_.value())
    done_.wait_past(seen);
}

void Team::share(int64_t threads, double one_ns, const std::function<void()>& work) {
  Team& team = instance();
  std::unique_lock<std::mutex> reserved;
  if (threads > 1 && one_ns > WORTH_NS) reserved = team.reserve();
  const int64_t members = reserved.owns_lock() && !team.alone() ? team.gather(threads) : 1;
  if (members == 1) return work();
  const int64_t began = now_ns();
  team.run(members, [&](int64_t) { work(); });
  team.left_ns = now_ns();
  team.judge(team.left_ns - began, one_ns);
}

void Team::stand_aside(int64_t least_ns) {
  const int64_t now = now_ns();
  if (now - alone_until_ns_ > 10 * alone_ns) alone_ns = 0;
  alone_ns = std::clamp(alone_ns * 2, least_ns, LONGEST_ALONE_NS);
  alone_until_ns_ = now + alone_ns;
}

void Team::judge(int64_t took_ns, double one_ns) {
  if (static_cast<double>(took_ns) > one_ns + LATE_NS) stand_aside(SHORTLY_ALONE_NS);
}

// Every member answers every job, so that none can be late for one and meet the next.
void Team::serve(int64_t member, uint32_t seen) {
  for (;; ++seen) {
    begin_.wait_past(seen);
    if (member < wanted_) (*work_)(member);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_.next();
  }
}

}  // namespace striate
