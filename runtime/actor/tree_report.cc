// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/tree_report.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/actor/report_text.h"
#include "troupe/runtime/base/write_all.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/signal_wait.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace detail {

// Shared by the task that asks and by all who wait for the same answer.
struct AwaitedReport {
  Event ended;
  Answer answer = Answer::none;
  std::vector<TreeEntry> tree;
};

namespace {

// People wait for it, and look elsewhere if it takes longer.
constexpr std::chrono::seconds signal_limit{3};

// Asks in a task of the runtime, because giving a call up takes time, too: its grace. A child that
// does not answer is not asked again before it has.
std::shared_ptr<AwaitedReport> ask(Actor& actor, const std::shared_ptr<ChildLink>& child,
                                   std::chrono::nanoseconds limit) {
  if (child->awaited_report) return child->awaited_report;
  auto report = child->awaited_report = std::make_shared<AwaitedReport>();
  actor.runtime().start_soon("report of " + child->uid.name, [&actor, child, report, limit] {
    struct AtEnd {
      ChildLink& child;
      AwaitedReport& report;
      ~AtEnd() {
        child.awaited_report.reset();
        report.ended.set();
      }
    } const at_end{*child, *report};
    try {
      report->tree = Portal(actor.peer(child->uid, child->address)).run<&report_tree>(limit);
      report->answer = Answer::given;
    } catch (const std::exception&) {  // it has ended, or ends
      report->answer = Answer::gone;
    }
  });
  return report;
}

std::vector<TreeEntry> report_below(Actor& actor, const std::shared_ptr<ChildLink>& child,
                                    std::chrono::nanoseconds limit) {
  const std::shared_ptr<AwaitedReport> report = ask(actor, child, limit / 10 * 8);
  move_on_after(limit, [&] { report->ended.wait(); });
  std::vector<TreeEntry> tree = report->tree;  // others may wait for it, too
  if (tree.empty()) {
    TreeEntry& known = tree.emplace_back();
    known.answer = report->answer;
    known.report.uid = child->uid;
    known.report.pid = child->pid;
  }
  for (TreeEntry& entry : tree) ++entry.depth;
  return tree;
}

void report_on_signals(TaskStatus<void>& ready) {
  open_signal_receiver({SIGUSR1}, [&](SignalReceiver& signals) {
    ready.started();
    const BackgroundWait background;
    for (;;) {
      signals.receive();
      const std::vector<TreeEntry> tree = report_tree(signal_limit);
      write_all(STDERR_FILENO, "troupe: actors and tasks from pid " + std::to_string(::getpid()) +
                                   " on, asked for by SIGUSR1:\n" + text_of(tree, {}));
    }
  });
}

}  // namespace

std::vector<TreeEntry> report_tree(std::chrono::nanoseconds limit) {
  Actor& actor = Actor::current();
  std::vector<TreeEntry> tree(1);
  tree.front().report = report_actor(/*with_tasks=*/true);
  std::vector<std::shared_ptr<ChildLink>> children = actor.children();
  std::erase_if(children, [](const auto& child) { return child->ended.is_set(); });
  std::sort(children.begin(), children.end(),
            [](const auto& a, const auto& b) { return a->pid < b->pid; });
  std::vector<std::vector<TreeEntry>> below(children.size());
  open_task_nursery([&](TaskNursery& n) {
    for (std::size_t i = 0; i < children.size(); ++i) {
      n.start_soon("report below", [&actor, limit, &child = children[i], &part = below[i]] {
        part = report_below(actor, child, limit);
      });
    }
  });
  for (std::vector<TreeEntry>& part : below) {
    std::move(part.begin(), part.end(), std::back_inserter(tree));
  }
  return tree;
}

}  // namespace detail

void report_tree_on_sigusr1_if_wanted(Actor& actor) {
  if (!actor.config().dump_on_sigusr1) return;
  actor.runtime().start<void>("SIGUSR1", &detail::report_on_signals);
}

}  // namespace troupe
