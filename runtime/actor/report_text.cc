// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/report_text.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>

namespace troupe::detail {
namespace {

// Deeper trees are still in order, only not further indented.
constexpr std::uint32_t max_indent = 40;

std::string indent(std::uint32_t depth) {
  return std::string(std::size_t{2} * std::min(depth, max_indent), ' ');
}

std::string actor_line(const TreeEntry& entry, const ReportStyle& style) {
  const ActorReport& actor = entry.report;
  std::string line = indent(entry.depth) + style.name + actor.uid.name + style.plain;
  if (actor.pid != 0) line += " (pid " + std::to_string(actor.pid) + ")";
  if (entry.answer != Answer::given) {
    line += std::string(" ") + style.warning + "(" + remark_on(entry.answer) + ")" + style.plain;
  }
  return line + "\n";
}

std::string task_line(const TaskReport& task, std::uint32_t depth) {
  std::string line = indent(depth) + "- " + task.name + " (" + task.start + "): ";
  if (task.waits_for.empty()) return line + "is ready\n";
  char time[32];
  std::snprintf(time, sizeof time, "%.3f s", static_cast<double>(task.waits_since) * 1e-9);
  return line + "waits for " + task.waits_for + ", since " + time + "\n";
}

// A task is reported after its parent, so the depth of the parent is known.
std::string task_lines(const TreeEntry& entry, const ReportStyle& style) {
  std::string text;
  std::unordered_map<std::uint64_t, std::uint32_t> depths;
  for (const TaskReport& task : entry.report.tasks) {
    const auto parent = depths.find(task.parent);
    const std::uint32_t depth = parent == depths.end() ? entry.depth + 1 : parent->second + 1;
    depths[task.id] = depth;
    if (!task.of_runtime || style.runtime_tasks) text += task_line(task, depth);
  }
  if (entry.report.tasks_left_out > 0) {
    text += indent(entry.depth + 1) + "- ... and " + std::to_string(entry.report.tasks_left_out) +
            " more tasks\n";
  }
  return text;
}

}  // namespace

const char* remark_on(Answer answer) {
  switch (answer) {
    case Answer::none:
      return "does not answer";
    case Answer::gone:
      return "has gone";
    case Answer::given:
      break;
  }
  return "";
}

std::string text_of(const std::vector<TreeEntry>& tree, const ReportStyle& style) {
  std::string text;
  for (const TreeEntry& entry : tree) text += actor_line(entry, style) + task_lines(entry, style);
  return text;
}

}  // namespace troupe::detail
