// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/actor_report.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <unordered_set>

#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/task_tree.h"

namespace troupe::detail {
namespace {

// More of them say no more, and would make the answer large.
constexpr std::size_t max_tasks = 2000;

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

// Troupe's own tasks are those in the actor's nursery for them and in the nurseries around it, and
// what they have started.
class RuntimeTasks {
 public:
  explicit RuntimeTasks(Actor& actor) {
    const CancelScope* scope = &actor.runtime().cancel_scope();
    for (; scope != nullptr; scope = scope->parent()) nurseries_.insert(scope);
  }
  bool contains(const TaskInfo& task) {
    if (!task.parent) return false;
    if (!nurseries_.contains(task.nursery) && !tasks_.contains(*task.parent)) return false;
    tasks_.insert(task.id);
    return true;
  }

 private:
  std::unordered_set<const CancelScope*> nurseries_;
  std::unordered_set<std::uint64_t> tasks_;
};

// All but the one that looks.
void add_tasks(Actor& actor, ActorReport& report) {
  RuntimeTasks runtime(actor);
  for (TaskInfo& task : task_snapshot()) {
    const bool of_runtime = runtime.contains(task);
    if (task.runs) continue;
    if (report.tasks.size() == max_tasks) {
      ++report.tasks_left_out;
      continue;
    }
    report.tasks.push_back({task.id, task.parent.value_or(0), std::move(task.name),
                            std::move(task.start), std::move(task.waits_for),
                            task.waits_since.count(), of_runtime});
  }
}

}  // namespace

ActorReport report_actor(bool with_tasks) {
  Actor& actor = Actor::current();
  ActorReport report;
  report.uid = actor.uid();
  report.pid = ::getpid();
  report.host = host_name();
  for (const Address& address : actor.entry().addresses) report.addresses.push_back(address.str());
  report.since =
      std::chrono::duration_cast<std::chrono::milliseconds>(actor.since().time_since_epoch())
          .count();
  if (actor.config().parent) report.parent = *actor.config().parent;
  for (const auto& child : actor.children()) {
    if (child->ended.is_set()) continue;
    report.children.push_back({child->uid, child->pid, child->address.str()});
  }
  std::sort(report.children.begin(), report.children.end(),
            [](const ChildReport& a, const ChildReport& b) { return a.pid < b.pid; });
  if (with_tasks) add_tasks(actor, report);
  return report;
}

}  // namespace troupe::detail
