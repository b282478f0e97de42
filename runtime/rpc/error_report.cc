// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/error_report.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/ipc/text.h"
#include "troupe/runtime/rpc/json_writer.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

using Lines = std::vector<std::string>;

// Much longer than what anybody reads, and than what a line of a trace has.
constexpr std::size_t max_line = 4096;

Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string name_of(const Uid& uid) {
  return printable(uid.uuid.empty() ? uid.name : uid.to_string());
}

bool is_cancellation(const BoxedError& error) {
  return error.type == "troupe::Cancelled" || error.type == "troupe::ContextCancelled";
}

// The members of a group, without those that only say that the others ended them.
std::vector<const BoxedError*> members_to_tell(const BoxedError& group) {
  std::vector<const BoxedError*> all;
  std::vector<const BoxedError*> errors;
  for (const BoxedError& member : group.nested) {
    all.push_back(&member);
    if (!is_cancellation(member)) errors.push_back(&member);
  }
  return errors.empty() ? all : errors;
}

std::string count_of(std::size_t errors) {
  return " (" + std::to_string(errors) + (errors == 1 ? " error)" : " errors)");
}

// ---- For people

class TextReport {
 public:
  explicit TextReport(bool coloured) : coloured_(coloured) {}

  // The cause first: people read downwards, and what came first explains the rest.
  Lines of(const BoxedError& error) const {
    Lines lines;
    if (error.nesting == BoxedError::Nesting::cause && !error.nested.empty()) {
      lines = of(error.nested.front());
      lines.push_back(paint(dim, "which led to:"));
    }
    add_what(error, lines);
    add_where(error, lines);
    if (error.nesting == BoxedError::Nesting::group) add_branches(error, lines);
    return lines;
  }

 private:
  static constexpr std::string_view bold_red = "\033[1;31m";
  static constexpr std::string_view dim = "\033[2m";
  static constexpr std::string_view plain = "\033[0m";

  std::string paint(std::string_view colour, const std::string& text) const {
    return coloured_ ? std::string(colour) + text + std::string(plain) : text;
  }

  // Texts of strangers: what would move the cursor does not reach the terminal.
  static Lines printable_lines(std::string_view text) {
    Lines lines = split(text);
    for (std::string& line : lines) line = printable(line, max_line);
    return lines;
  }

  void add_what(const BoxedError& error, Lines& lines) const {
    const Lines message = printable_lines(error.message);
    const std::string type = error.type.empty() ? "unknown" : printable(error.type);
    std::string first = message.empty() ? "" : message.front();
    if (error.nesting == BoxedError::Nesting::group) {
      first += count_of(members_to_tell(error).size());
    }
    lines.push_back(paint(bold_red, type) + ": " + first);
    for (std::size_t i = 1; i < message.size(); ++i) lines.push_back("  " + message[i]);
  }

  void add_where(const BoxedError& error, Lines& lines) const {
    if (!error.source.name.empty()) {
      const std::string process = error.pid == 0 ? "" : " (pid " + std::to_string(error.pid) + ")";
      lines.push_back("  in actor " + name_of(error.source) + process);
    }
    if (error.relay_path.size() > 1) {
      std::string path = "  relayed ";
      for (const Uid& stop : error.relay_path) {
        path += (&stop == &error.relay_path.front() ? "" : " -> ") + name_of(stop);
      }
      lines.push_back(std::move(path));
    }
    for (const std::string& function : printable_lines(error.traceback)) {
      lines.push_back(paint(dim, "  at " + function));
    }
  }

  void add_branches(const BoxedError& group, Lines& lines) const {
    const auto members = members_to_tell(group);
    for (const BoxedError* member : members) {
      const std::string_view trunk = member == members.back() ? "    " : "|   ";
      std::string_view margin = "+-- ";
      for (const std::string& line : of(*member)) {
        lines.push_back("  " + std::string(margin) + line);
        margin = trunk;
      }
    }
  }

  bool coloured_;
};

// ---- For programs

void put_actor(JsonWriter& json, const BoxedError& error) {
  json.open("actor", '{');
  json.put("name", error.source.name);
  if (!error.source.uuid.empty()) json.put("uuid", error.source.uuid);
  if (error.pid != 0) json.put("pid", std::int64_t{error.pid});
  json.close('}');
}

void put_members(JsonWriter& json, const BoxedError& error) {
  json.put("type", error.type.empty() ? "unknown" : error.type);
  json.put("message", error.message);
  put_actor(json, error);
  json.open("relay_path", '[');
  for (const Uid& stop : error.relay_path) json.put({}, name_of(stop));
  json.close(']');
  json.open("trace", '[');
  for (const std::string& function : split(error.traceback)) json.put({}, function);
  json.close(']');
  if (error.nesting == BoxedError::Nesting::cause && !error.nested.empty()) {
    json.open("cause", '{');
    put_members(json, error.nested.front());
    json.close('}');
  }
  if (error.nesting != BoxedError::Nesting::group) return;
  json.open("errors", '[');
  for (const BoxedError* member : members_to_tell(error)) {
    json.open({}, '{');
    put_members(json, *member);
    json.close('}');
  }
  json.close(']');
}

std::string json_report(const BoxedError& error) {
  JsonWriter json;
  json.open({}, '{');
  put_members(json, error);
  json.close('}');
  return json.text() + "\n";
}

}  // namespace

std::string error_report(const BoxedError& error, ReportFormat format) {
  if (format == ReportFormat::json) return json_report(error);
  std::string text;
  for (const std::string& line : TextReport(format == ReportFormat::coloured).of(error)) {
    text += line + "\n";
  }
  return text;
}

std::string error_report(const std::exception_ptr& error, const Uid& self, ReportFormat format) {
  return error_report(box_error(error, self), format);
}

ReportFormat report_format(int fd) {
  const char* const wanted = std::getenv("TROUPE_ERROR_FORMAT");
  if (wanted != nullptr && std::string_view(wanted) == "json") return ReportFormat::json;
  if (wanted != nullptr && std::string_view(wanted) == "text") return ReportFormat::text;
  const char* const no_colour = std::getenv("NO_COLOR");
  const bool may_colour = no_colour == nullptr || *no_colour == '\0';
  return may_colour && ::isatty(fd) == 1 ? ReportFormat::coloured : ReportFormat::text;
}

}  // namespace troupe
