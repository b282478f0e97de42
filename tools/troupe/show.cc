// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/troupe/show.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <map>
#include <set>

#include "troupe/runtime/rpc/json_writer.h"

namespace troupe::tool {
namespace {

using detail::ActorReport;
using detail::Answer;
using detail::TaskReport;
using detail::TreeEntry;

constexpr std::size_t short_uuid = 8;

class TreeOrder {
 public:
  explicit TreeOrder(const std::vector<Sighting>& seen) {
    for (const Sighting& sighting : seen) uuids_.insert(sighting.report.uid.uuid);
    for (const Sighting& sighting : seen) {
      const std::string& parent = sighting.report.parent.uuid;
      below_[uuids_.contains(parent) ? parent : std::string()].push_back(&sighting);
    }
    for (auto& [parent, children] : below_) {
      std::sort(children.begin(), children.end(),
                [](const Sighting* a, const Sighting* b) { return a->report.pid < b->report.pid; });
    }
  }

  void append(const std::string& parent, std::uint32_t depth, std::vector<TreeEntry>& out) {
    const auto children = below_.find(parent);
    if (children == below_.end()) return;
    const std::vector<const Sighting*> mine = std::move(children->second);
    below_.erase(children);
    for (const Sighting* child : mine) {
      out.push_back({depth, child->answer, child->report});
      append(child->report.uid.uuid, depth + 1, out);
    }
  }

 private:
  std::set<std::string> uuids_;
  std::map<std::string, std::vector<const Sighting*>> below_;
};

// ISO 8601, in UTC.
std::string time_of(std::int64_t milliseconds) {
  if (milliseconds == 0) return "-";
  const std::time_t seconds = milliseconds / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

using Row = std::array<std::string, 6>;

Row row_of(const TreeEntry& entry) {
  const ActorReport& actor = entry.report;
  return {actor.uid.name.empty() ? "?" : actor.uid.name,
          actor.uid.uuid.substr(0, short_uuid),
          actor.pid == 0 ? "-" : std::to_string(actor.pid),
          actor.host.empty() ? "-" : actor.host,
          time_of(actor.since),
          actor.addresses.empty() ? "-" : actor.addresses.front()};
}

void put_uid(JsonWriter& json, const Uid& uid) {
  json.put("name", uid.name);
  json.put("uuid", uid.uuid);
}

void put_task(JsonWriter& json, const TaskReport& task) {
  json.open({}, '{');
  json.put("id", static_cast<std::int64_t>(task.id));
  if (task.parent != 0) json.put("parent", static_cast<std::int64_t>(task.parent));
  json.put("name", task.name);
  json.put("start", task.start);
  json.put("of", task.of_runtime ? "runtime" : "program");
  if (!task.waits_for.empty()) {
    json.put("waits_for", task.waits_for);
    json.put("waits_since_ms", task.waits_since / 1000000);
  }
  json.close('}');
}

void put_actor(JsonWriter& json, const TreeEntry& entry, bool with_tasks) {
  const ActorReport& actor = entry.report;
  json.open({}, '{');
  put_uid(json, actor.uid);
  json.put("state", entry.answer == Answer::given ? "answers" : detail::remark_on(entry.answer));
  if (actor.pid != 0) json.put("pid", actor.pid);
  if (!actor.host.empty()) json.put("host", actor.host);
  json.open("addresses", '[');
  for (const std::string& address : actor.addresses) json.put({}, address);
  json.close(']');
  if (actor.since != 0) json.put("since", time_of(actor.since));
  if (!actor.parent.uuid.empty()) json.put("parent", actor.parent.uuid);
  if (with_tasks) {
    json.open("tasks", '[');
    for (const TaskReport& task : actor.tasks) put_task(json, task);
    json.close(']');
    json.put("tasks_left_out", static_cast<std::int64_t>(actor.tasks_left_out));
  }
  json.close('}');
}

}  // namespace

std::vector<TreeEntry> in_tree_order(const std::vector<Sighting>& seen) {
  std::vector<TreeEntry> ordered;
  TreeOrder(seen).append({}, 0, ordered);
  return ordered;
}

std::string table_of(const std::vector<TreeEntry>& actors, const detail::ReportStyle& style) {
  std::vector<Row> rows{{"NAME", "UUID", "PID", "HOST", "UP SINCE", "ADDRESS"}};
  for (const TreeEntry& entry : actors) rows.push_back(row_of(entry));
  std::array<std::size_t, 6> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (std::size_t line = 0; line < rows.size(); ++line) {
    for (std::size_t i = 0; i < rows[line].size(); ++i) {
      const std::string& cell = rows[line][i];
      text += i == 0 ? style.name + cell + style.plain : cell;
      if (i + 1 < rows[line].size()) text += std::string(widths[i] - cell.size() + 2, ' ');
    }
    const Answer answer = line == 0 ? Answer::given : actors[line - 1].answer;
    if (answer != Answer::given) {
      text +=
          std::string("  ") + style.warning + "(" + detail::remark_on(answer) + ")" + style.plain;
    }
    text += "\n";
  }
  return text;
}

std::string json_of(const std::vector<TreeEntry>& actors, bool with_tasks) {
  JsonWriter json;
  json.open({}, '{');
  json.open("actors", '[');
  for (const TreeEntry& entry : actors) put_actor(json, entry, with_tasks);
  json.close(']');
  json.close('}');
  return json.text() + "\n";
}

detail::ReportStyle style_for(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  detail::ReportStyle style;
  if (::isatty(fd) == 0 || (no_colour != nullptr && *no_colour != '\0')) return style;
  style.name = "\033[1m";
  style.warning = "\033[31m";
  style.plain = "\033[0m";
  return style;
}

}  // namespace troupe::tool
