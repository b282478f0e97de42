// SPDX-License-Identifier: Apache-2.0

#include "troupe/runtime/fiber/signal_wait.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/testing.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::wait_all_tasks_blocked;

std::atomic<int> handled{0};

// Installs a handler that counts, as a program around the loop may, and takes it back.
class CountingHandler {
 public:
  explicit CountingHandler(int signal) : signal_(signal) {
    handled = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++handled; };
    ::sigaction(signal_, &action, &old_);
  }
  ~CountingHandler() { ::sigaction(signal_, &old_, nullptr); }

 private:
  int signal_;
  struct sigaction old_ {};
};

struct sigaction present_action(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action;
}

bool is_blocked(int signal) {
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return ::sigismember(&mask, signal) == 1;
}

// T-SIG-01: signals arrive as items.
TEST(SignalReceiverTest, SignalsArriveAsItems) {
  testing::run([] {
    open_signal_receiver({SIGUSR1, SIGUSR2}, [](SignalReceiver& signals) {
      ::raise(SIGUSR2);
      EXPECT_EQ(signals.receive(), SIGUSR2);
      ::kill(::getpid(), SIGUSR1);
      EXPECT_EQ(signals.receive(), SIGUSR1);
      EXPECT_EQ(signals.receive_nowait(), std::nullopt);
    });
  });
}

// T-SIG-01: a task that waits is woken by the signal.
TEST(SignalReceiverTest, AWaitingTaskIsWoken) {
  testing::run([] {
    open_signal_receiver({SIGHUP}, [](SignalReceiver& signals) {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] { EXPECT_EQ(signals.receive(), SIGHUP); });
        wait_all_tasks_blocked();
        ::kill(::getpid(), SIGHUP);
      });
    });
  });
}

// T-SIG-01: the receiver is a range.
TEST(SignalReceiverTest, IsARange) {
  testing::run([] {
    int received = 0;
    open_signal_receiver({SIGUSR1}, [&](SignalReceiver& signals) {
      ::raise(SIGUSR1);
      for (const int signal : signals) {
        EXPECT_EQ(signal, SIGUSR1);
        if (++received == 3) break;
        ::raise(SIGUSR1);
      }
    });
    EXPECT_EQ(received, 3);
  });
}

// T-SIG-01: signals are coalesced: one that came several times is received once.
TEST(SignalReceiverTest, SignalsAreCoalesced) {
  testing::run([] {
    open_signal_receiver({SIGUSR1, SIGUSR2}, [](SignalReceiver& signals) {
      for (int i = 0; i < 5; ++i) {
        ::raise(SIGUSR1);
        ::kill(::getpid(), SIGUSR1);
      }
      ::raise(SIGUSR2);
      EXPECT_EQ(signals.receive(), SIGUSR1);
      EXPECT_EQ(signals.receive(), SIGUSR2);
      EXPECT_EQ(signals.receive_nowait(), std::nullopt);
    });
  });
}

// T-SIG-01: unread signals at exit are re-delivered to the old handler, once each.
TEST(SignalReceiverTest, UnreadSignalsGoToTheOldHandler) {
  const CountingHandler handler(SIGUSR1);
  testing::run([] {
    open_signal_receiver({SIGUSR1}, [](SignalReceiver&) {
      ::raise(SIGUSR1);
      ::kill(::getpid(), SIGUSR1);
      EXPECT_EQ(handled, 0);
    });
    EXPECT_EQ(handled, 1);
  });
}

// T-SIG-01: also those that had been read from the system, but not received.
TEST(SignalReceiverTest, UnreceivedSignalsGoToTheOldHandler) {
  const CountingHandler handler(SIGUSR2);
  testing::run([] {
    open_signal_receiver({SIGUSR1, SIGUSR2}, [](SignalReceiver& signals) {
      ::raise(SIGUSR1);
      ::raise(SIGUSR2);
      EXPECT_EQ(signals.receive(), SIGUSR1);
    });
    EXPECT_EQ(handled, 1);
  });
}

// T-SIG-01: handlers and masks are restored, also on errors and after duplicates.
TEST(SignalReceiverTest, HandlersAndMasksAreRestored) {
  const CountingHandler handler(SIGUSR1);
  testing::run([] {
    const auto* const before = reinterpret_cast<void*>(present_action(SIGUSR1).sa_handler);
    EXPECT_THROW(open_signal_receiver({SIGUSR1, SIGUSR1},
                                      [](SignalReceiver&) {
                                        EXPECT_TRUE(is_blocked(SIGUSR1));
                                        throw std::out_of_range("body's");
                                      }),
                 std::out_of_range);
    EXPECT_EQ(reinterpret_cast<void*>(present_action(SIGUSR1).sa_handler), before);
    EXPECT_FALSE(is_blocked(SIGUSR1));
    ::raise(SIGUSR1);
    EXPECT_EQ(handled, 1);
  });
}

// T-SIG-01: a signal that the program had blocked stays blocked.
TEST(SignalReceiverTest, WhatWasBlockedStaysBlocked) {
  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &usr1, nullptr);
  testing::run([] { open_signal_receiver({SIGUSR1}, [](SignalReceiver&) {}); });
  EXPECT_TRUE(is_blocked(SIGUSR1));
  ::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr);
}

// T-SIG-01: a signal to the process is received even if another thread, which does not block it, is
// the one that the system picks.
TEST(SignalReceiverTest, SignalsThatOtherThreadsGetAreSentOn) {
  testing::run([] {
    open_signal_receiver({SIGUSR1}, [](SignalReceiver& signals) {
      std::thread other([] {
        sigset_t none;
        ::sigemptyset(&none);
        ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
        ::raise(SIGUSR1);  // to this very thread
      });
      EXPECT_EQ(signals.receive(), SIGUSR1);
      other.join();
    });
  });
}

// Nested receivers of one signal: the innermost gets it, then the outer one again.
TEST(SignalReceiverTest, TheInnermostReceiverGetsTheSignal) {
  testing::run([] {
    open_signal_receiver({SIGUSR1, SIGUSR2}, [](SignalReceiver& outer) {
      open_signal_receiver({SIGUSR1}, [&](SignalReceiver& inner) {
        ::raise(SIGUSR1);
        ::raise(SIGUSR2);
        EXPECT_EQ(outer.receive(), SIGUSR2);
        EXPECT_EQ(outer.receive_nowait(), std::nullopt);
        EXPECT_EQ(inner.receive(), SIGUSR1);
        ::raise(SIGUSR1);  // unread: goes to the outer one
      });
      EXPECT_EQ(outer.receive(), SIGUSR1);
    });
  });
}

// T-SIG-02: two signals are always pending: neither starves.
TEST(SignalReceiverTest, NoSignalStarves) {
  testing::run([] {
    open_signal_receiver({SIGHUP, SIGUSR2}, [](SignalReceiver& signals) {
      int hups = 0;
      int usr2s = 0;
      ::raise(SIGHUP);
      ::raise(SIGUSR2);
      for (int i = 0; i < 100; ++i) {
        const int signal = signals.receive();
        ++(signal == SIGHUP ? hups : usr2s);
        ::raise(signal);
      }
      EXPECT_EQ(hups, 50);
      EXPECT_EQ(usr2s, 50);
      while (signals.receive_nowait()) {
      }
    });
  });
}

// T-SIG-02: a task that receives without end lets others run.
TEST(SignalReceiverTest, ReceivingIsACheckpoint) {
  testing::run([] {
    open_signal_receiver({SIGUSR1}, [](SignalReceiver& signals) {
      ::raise(SIGUSR1);
      testing::assert_checkpoints([&] { signals.receive(); });
    });
  });
}

// T-SIG-03: two tasks on one receiver are an error.
TEST(SignalReceiverTest, TwoTasksOnOneReceiverAreAnError) {
  testing::run([] {
    open_signal_receiver({SIGUSR1}, [](SignalReceiver& signals) {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] { signals.receive(); });
        wait_all_tasks_blocked();
        EXPECT_THROW(signals.receive(), UsageError);
        ::raise(SIGUSR1);
      });
    });
  });
}

// T-SIG-03: receiving in another thread is an error.
TEST(SignalReceiverTest, ReceivingInAnotherThreadIsAnError) {
  EXPECT_THROW(open_signal_receiver({SIGUSR1}, [](SignalReceiver&) {}), UsageError);
  testing::run([] {
    open_signal_receiver({SIGUSR1}, [](SignalReceiver& signals) {
      std::thread([&] {
        EXPECT_THROW(signals.receive(), UsageError);
        testing::run([&] {
          EXPECT_THROW(signals.receive(), UsageError);
          EXPECT_THROW(open_signal_receiver({SIGUSR1}, [](SignalReceiver&) {}), UsageError);
          open_signal_receiver({SIGUSR2}, [](SignalReceiver& others) {
            ::raise(SIGUSR2);
            EXPECT_EQ(others.receive(), SIGUSR2);
          });
        });
      }).join();
    });
  });
}

// T-SIG-03: no signals, or such that cannot be received, are an error.
TEST(SignalReceiverTest, NoSignalsAreAnError) {
  testing::run([] {
    const auto open = [](std::vector<int> signals) {
      open_signal_receiver(signals, [](SignalReceiver&) { ADD_FAILURE() << "was opened"; });
    };
    EXPECT_THROW(open({}), UsageError);
    EXPECT_THROW(open({SIGUSR1, SIGKILL}), UsageError);
    EXPECT_THROW(open({SIGSTOP}), UsageError);
    EXPECT_THROW(open({SIGSEGV}), UsageError);
    EXPECT_THROW(open({0}), UsageError);
    EXPECT_THROW(open({NSIG}), UsageError);
    EXPECT_FALSE(is_blocked(SIGUSR1)) << "a refused call leaves nothing behind";
  });
}

// T-SIG-04 and T-SIG-05, as far as this layer goes: SIGINT is turned into the cancellation of a
// scope by a task; it then comes out of a checkpoint, never in the middle of other code.
TEST(SignalReceiverTest, AnInterruptComesOutOfACheckpointOnly) {
  testing::run([] {
    bool computed_to_the_end = false;
    bool passed_checkpoint = false;
    open_signal_receiver({SIGINT}, [&](SignalReceiver& signals) {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] {
          signals.receive();
          n.cancel_scope().cancel_with({CancelSource::interrupt, "SIGINT", {}});
        });
        wait_all_tasks_blocked();
        ::kill(::getpid(), SIGINT);
        const auto start = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() - start < 2ms) {
        }
        computed_to_the_end = true;
        try {
          sleep_forever();
        } catch (const Cancelled& cancelled) {
          EXPECT_EQ(cancelled.reason().source, CancelSource::interrupt);
          throw;
        }
        passed_checkpoint = true;
      });
    });
    EXPECT_TRUE(computed_to_the_end);
    EXPECT_FALSE(passed_checkpoint);
  });
}

// T-SIG-06: someone else's handler, installed over ours, is left alone.
TEST(SignalReceiverTest, SomeoneElsesHandlerIsLeftAlone) {
  struct sigaction before = present_action(SIGUSR1);
  testing::run(
      [] { open_signal_receiver({SIGUSR1}, [](SignalReceiver&) { ::signal(SIGUSR1, SIG_IGN); }); });
  EXPECT_EQ(present_action(SIGUSR1).sa_handler, SIG_IGN);
  ::sigaction(SIGUSR1, &before, nullptr);
}

// T-SIG-06: a run that receives no signals changes nothing about them (but faults, see
// stack_overflow.h).
TEST(SignalReceiverTest, ARunWithoutReceiversTouchesNoSignal) {
  testing::run([] {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGUSR1}) {
      EXPECT_EQ(present_action(signal).sa_handler, SIG_DFL) << signal;
      EXPECT_FALSE(is_blocked(signal)) << signal;
    }
  });
}

}  // namespace
}  // namespace troupe
