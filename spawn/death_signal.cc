// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/death_signal.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include <optional>

namespace troupe::detail {

namespace {

constexpr itimerval half_a_second{{}, {0, 500'000}};

std::optional<struct sigaction> action_before;
volatile sig_atomic_t is_dead = 0;

bool time_is_over() {
  itimerval left{};
  return ::getitimer(ITIMER_REAL, &left) == 0 && !timerisset(&left.it_value);
}

// At the parent's death, and half a second later. The kernel tells of the death more than once: of
// the thread's first, then of each other thread's to which this process has fallen meanwhile.
void on_death(int) {
  if (is_dead == 0) {
    is_dead = 1;
    ::setitimer(ITIMER_REAL, &half_a_second, nullptr);
  } else if (time_is_over()) {
    ::signal(SIGALRM, SIG_DFL);
    ::raise(SIGALRM);
  }
}

}  // namespace

void arm_death_signal() noexcept {
  struct sigaction action {};
  action.sa_handler = on_death;
  action.sa_flags = SA_RESTART;
  struct sigaction before;
  ::sigaction(SIGALRM, &action, &before);
  if (before.sa_handler != on_death) action_before = before;  // the program's, from meanwhile too
  ::prctl(PR_SET_PDEATHSIG, SIGALRM, 0, 0, 0);
}

void raise_death_signal() noexcept { ::raise(SIGALRM); }

void disarm_death_signal() noexcept {
  ::prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  if (!action_before) return;
  const itimerval never{};
  if (is_dead != 0) ::setitimer(ITIMER_REAL, &never, nullptr);
  is_dead = 0;
  struct sigaction present;
  ::sigaction(SIGALRM, nullptr, &present);
  if (present.sa_handler == on_death) ::sigaction(SIGALRM, &*action_before, nullptr);
  action_before.reset();
}

}  // namespace troupe::detail
