// SPDX-License-Identifier: Apache-2.0

// Signals as a stream, which a task reads when it is ready for them, instead of handlers that run
// anywhere. Here the program sends them to itself. Uses the task layer alone. Prints:
//
//   serves with settings 1
//   SIGHUP: serves with settings 2
//   SIGHUP: serves with settings 3
//   SIGTERM: the work is ended, in order

#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/signal_wait.h"
#include "troupe/runtime/fiber/timeouts.h"

// Sends the next signal when the one before has been dealt with.
void send_signals(const troupe::MemoryReceiveChannel<int>& dealt_with) {
  for (int signal : {SIGHUP, SIGHUP, SIGTERM}) {
    dealt_with.receive();
    ::kill(::getpid(), signal);
  }
}

void serve(troupe::SignalReceiver& signals, troupe::TaskNursery& n,
           const troupe::MemorySendChannel<int>& dealt_with) {
  int settings = 1;
  std::cout << "serves with settings " << settings << std::endl;
  dealt_with.send(0);
  for (int signal : signals) {
    if (signal == SIGTERM) {
      std::cout << "SIGTERM: the work is ended, in order" << std::endl;
      n.cancel();
      return;
    }
    std::cout << "SIGHUP: serves with settings " << ++settings << std::endl;
    dealt_with.send(signal);
  }
}

int main() {
  troupe::run_tasks([] {
    auto channel = troupe::open_memory_channel<int>(1);
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon("work", [] { troupe::sleep_forever(); });
      n.start_soon("somebody", [&] { send_signals(channel.receive); });
      troupe::open_signal_receiver({SIGHUP, SIGTERM}, [&](troupe::SignalReceiver& signals) {
        serve(signals, n, channel.send);
      });
    });
  });
}
