// SPDX-License-Identifier: Apache-2.0

// A pipeline over seven processes: two exchanges quote prices, an aggregator makes ticks of them,
// three workers appraise the ticks, and the root looks after them while one is killed. On a
// terminal it shows a live table until the ticks are done or Ctrl-C; elsewhere it prints, with
// another rate:
//
//   100 ticks appraised
//   200 ticks appraised
//   worker_2 was killed: kill -9
//   worker_2 is back, in another process
//   300 ticks appraised
//   400 ticks appraised
//   each tick once, at 5123 ticks per second; restarts: 1

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/examples/showcase/market.h"
#include "troupe/examples/showcase/report.h"
#include "troupe/examples/showcase/scoreboard.h"
#include "troupe/troupe.h"

using namespace showcase;
using namespace std::chrono_literals;

const std::vector<std::string> names = {"worker_1", "worker_2", "worker_3"};

// Hands one worker one tick after the other. A tick that it had in hand when it died goes to its
// successor, so none is lost.
void employ(const troupe::Portal& worker, const troupe::MemoryReceiveChannel<Tick>& ticks,
            Scoreboard& board, Row& row) {
  for (const Tick& tick : ticks) {
    for (bool done = false; !done;) {
      try {
        worker.run<&appraise>(tick);
        done = true;
      } catch (const troupe::ActorDied&) {
      }
    }
    board.change([&] {
      ++row.done;
      if (!board.appraised.insert(tick.number).second) throw std::logic_error("a tick came twice");
    });
  }
}

// Waits until the worker is another process than `before`.
void wait_for_successor(const troupe::Portal& worker, int before) {
  for (int present = before; present == before;) {
    try {
      present = worker.run<&process>();
    } catch (const troupe::ActorDied&) {
    }
  }
}

// Kills a worker when half of the work is done.
void kill_one(const troupe::Portal& worker, Scoreboard& board, Row& row, int after) {
  board.wait([&] { return static_cast<int>(board.appraised.size()) >= after; });
  const int victim = worker.run<&process>();
  ::kill(victim, SIGKILL);
  board.change([&] { row.gone = true; });
  wait_for_successor(worker, victim);
  board.change([&] {
    row.gone = false;
    ++row.restarts;
  });
}

// The pool: all that is between the aggregator's stream and the scoreboard.
void appraise_all(troupe::ReceiveStream<Tick>& ticks, Scoreboard& board, int kill_after) {
  const auto body = [&](troupe::ActorNursery& pool) {
    auto channel = troupe::open_memory_channel<Tick>(64);
    std::vector<troupe::Portal> workers;
    for (const std::string& name : names) {
      workers.push_back(pool.start_actor(name, {.enable_modules = {appraisal}}));
    }
    troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
      for (std::size_t i = 0; i < workers.size(); ++i) {
        tasks.start_soon(names[i],
                         [&, i] { employ(workers[i], channel.receive, board, board.rows[i]); });
      }
      tasks.start_soon("mishap", [&] { kill_one(workers[1], board, board.rows[1], kill_after); });
      for (const Tick& tick : ticks) channel.send.send(tick);
      channel.send.close();
    });
    pool.cancel();
  };
  troupe::open_nursery({.supervise = troupe::one_for_one({.intensity = 3, .period = 5s})}, body);
}

void run_pipeline(Scoreboard& board, const Plan& plan, int kill_after) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    auto aggregator = n.run_in_actor<&aggregate>("aggregator", plan);
    aggregator.result(
        [&](troupe::ReceiveStream<Tick>& ticks) { appraise_all(ticks, board, kill_after); });
  });
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    const bool live = ::isatty(STDOUT_FILENO) != 0;
    const Plan plan = live ? Plan{20000, 2} : Plan{400, 0};
    Scoreboard board(names);
    const troupe::TimePoint start = troupe::current_time();
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon("report", [&] {
        if (live) show_table(board, plan.ticks);
        print_lines(board, plan.ticks);
      });
      run_pipeline(board, plan, live ? 1000 : plan.ticks / 2);
      if (live) n.cancel();  // the table has no end of its own
    });
    const double took = std::chrono::duration<double>(troupe::current_time() - start).count();
    std::cout << "each tick once, at " << static_cast<int>(plan.ticks / took)
              << " ticks per second; restarts: " << board.restarts() << std::endl;
  });
}
