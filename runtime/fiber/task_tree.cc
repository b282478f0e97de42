// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/fiber/task_tree.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "troupe/runtime/base/write_all.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/signal_wait.h"

namespace troupe {
namespace {

constexpr std::size_t max_children_shown = 1000;

std::string start_of(const Task& task) {
  const std::string_view path = task.start.file_name();
  return std::string(path.substr(path.rfind('/') + 1)) + ":" + std::to_string(task.start.line());
}

class TreePrinter {
 public:
  explicit TreePrinter(Loop& loop) : loop_(loop), now_(loop.now()) {
    Task* task = loop.tasks().first();
    for (; task != nullptr; task = loop.tasks().next(*task)) {
      if (task->nursery == nullptr) {
        roots_.push_back(task);
      } else {
        nurseries_[&task->nursery->cancel_scope()].push_back(task);
      }
    }
  }

  std::string print() {
    for (auto root = roots_.rbegin(); root != roots_.rend(); ++root) push_task(**root, {}, {});
    while (!stack_.empty()) {
      Line line = std::move(stack_.back());
      stack_.pop_back();
      text_ += line.head;
      line.task != nullptr ? print_task(*line.task, line.indent) : print_nursery(line);
    }
    return std::move(text_);
  }

 private:
  // What is still to be printed, last first: by a stack of our own, as nurseries may be nested by
  // the thousand.
  struct Line {
    std::string head;       // indentation and branch of the line itself
    std::string indent;     // indentation of what is below it
    Task* task;             // either a task,
    CancelScope* nursery;   // or a nursery by its scope,
    std::size_t not_shown;  // or so many more tasks
  };

  void push_task(Task& task, std::string head, std::string indent) {
    stack_.push_back({std::move(head), std::move(indent), &task, nullptr, 0});
  }

  void print_task(Task& task, const std::string& indent) {
    text_ += task.display_name() + " (" + start_of(task) + "): " + state_of(task) + "\n";
    const std::vector<CancelScope*> nurseries = nurseries_of(task);  // innermost first
    for (std::size_t i = 0; i < nurseries.size(); ++i) {
      push_branch(indent, i == 0, nullptr, nurseries[i], 0);
    }
  }

  void print_nursery(const Line& line) {
    if (line.nursery == nullptr) {
      text_ += "... and " + std::to_string(line.not_shown) + " more\n";
      return;
    }
    text_ += line.nursery->effectively_cancelled() ? "nursery, cancelled\n" : "nursery\n";
    const std::vector<Task*>& children = nurseries_[line.nursery];
    const std::size_t shown = std::min(children.size(), max_children_shown);
    const bool all = shown == children.size();
    if (!all) push_branch(line.indent, true, nullptr, nullptr, children.size() - shown);
    for (std::size_t i = shown; i-- > 0;) {
      push_branch(line.indent, all && i + 1 == shown, children[i], nullptr, 0);
    }
  }

  void push_branch(const std::string& indent, bool last, Task* task, CancelScope* nursery,
                   std::size_t not_shown) {
    stack_.push_back({indent + (last ? "`- " : "|- "), indent + (last ? "   " : "|  "), task,
                      nursery, not_shown});
  }

  // The scopes between a task's innermost and the one in which it was started are its own; those
  // that are the scope of somebody's nursery are its nurseries.
  std::vector<CancelScope*> nurseries_of(Task& task) {
    std::vector<CancelScope*> own;
    const CancelScope* const start =
        task.nursery != nullptr ? &task.nursery->cancel_scope() : &loop_.root_scope();
    for (CancelScope* scope = task.scope; scope != start && scope != nullptr;
         scope = scope->parent()) {
      if (nurseries_.count(scope) > 0) own.push_back(scope);
    }
    return own;
  }

  std::string state_of(const Task& task) const {
    if (&task == static_cast<const Runnable*>(&loop_.running())) return "runs";
    if (task.wait == nullptr) return "is ready";
    const double seconds = std::chrono::duration<double>(now_ - task.wait_since).count();
    char time[32];
    std::snprintf(time, sizeof time, "%.3f s", seconds > 0 ? seconds : 0.0);
    return "waits for " + task.waits_for() + ", since " + time;
  }

  Loop& loop_;
  TimePoint now_;
  std::vector<Task*> roots_;
  // The children of each nursery, by its scope: a task knows its nurseries only through the scopes
  // that it has entered.
  std::unordered_map<CancelScope*, std::vector<Task*>> nurseries_;
  std::vector<Line> stack_;
  std::string text_;
};

}  // namespace

std::vector<TaskInfo> task_snapshot() {
  std::vector<TaskInfo> all;
  Loop& loop = Loop::current();
  const TimePoint now = loop.now();
  IntrusiveList<Task, detail::InLoop>& tasks = loop.tasks();
  for (Task* task = tasks.first(); task != nullptr; task = tasks.next(*task)) {
    TaskInfo info;
    info.id = task->id;
    if (task->nursery != nullptr) {
      info.nursery = &task->nursery->cancel_scope();
      info.parent = info.nursery->owner()->id;
    }
    info.name = task->display_name();
    info.start = start_of(*task);
    info.runs = task == static_cast<const Runnable*>(&loop.running());
    if (task->wait != nullptr) {
      info.waits_for = task->waits_for();
      info.waits_since = std::max<Duration>(now - task->wait_since, Duration::zero());
    }
    all.push_back(std::move(info));
  }
  return all;
}

std::string task_tree() { return TreePrinter(Loop::current()).print(); }

namespace detail {

void dump_task_tree_on_sigusr1(TaskStatus<void>& ready) {
  open_signal_receiver({SIGUSR1}, [&](SignalReceiver& signals) {
    ready.started();
    const BackgroundWait background;
    for (;;) {
      signals.receive();
      const std::string text = "troupe: tasks of pid " + std::to_string(::getpid()) +
                               ", asked for by SIGUSR1:\n" + task_tree();
      write_all(STDERR_FILENO, text);
    }
  });
}

}  // namespace detail

}  // namespace troupe
