// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/troupe/commands.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/json_writer.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/tools/troupe/show.h"
#include "troupe/tools/troupe/survey.h"

namespace troupe::tool {
namespace {

using detail::Answer;

constexpr int done = 0;
constexpr int somebody_missing = 1;
constexpr int wrong_use = 2;
constexpr int no_arbiter = 3;

// "worker@1f3a" is a name and the beginning of a uuid.
struct Wanted {
  explicit Wanted(const std::string& text)
      : name(text.substr(0, text.rfind('@'))),
        uuid(text.rfind('@') == std::string::npos ? "" : text.substr(text.rfind('@') + 1)) {}
  bool matches(const Uid& uid) const { return uid.name == name && uid.uuid.starts_with(uuid); }
  std::string name;
  std::string uuid;
};

std::vector<Sighting> look(const Arguments& arguments, const std::string& name = {}) {
  const SurveyOptions options{arguments.timeout, arguments.tasks, name};
  return arguments.local ? survey_own_trees(options)
                         : survey_arbiter(Address::parse(arguments.arbiter), options);
}

// ---- ls and tree ----

int show(const Arguments& arguments) {
  const std::vector<detail::TreeEntry> actors = in_tree_order(look(arguments));
  detail::ReportStyle style = style_for(STDOUT_FILENO);
  style.runtime_tasks = arguments.runtime_tasks;
  if (arguments.json) {
    std::cout << json_of(actors, arguments.tasks);
  } else if (actors.empty()) {
    std::cerr << "troupe: no actors are there\n";
  } else if (arguments.command == Command::tree) {
    std::cout << detail::text_of(actors, style);
  } else {
    std::cout << table_of(actors, style);
  }
  int code = done;
  for (const detail::TreeEntry& entry : actors) {
    if (entry.answer == Answer::given) continue;
    code = somebody_missing;
    std::cerr << "troupe: actor '" << entry.report.uid.name << "' "
              << (entry.answer == Answer::gone ? "has gone while it was looked at"
                                               : "does not answer: it is busy, stopped or hangs")
              << "\n";
  }
  return code;
}

// ---- ping and cancel ----

std::vector<Sighting> look_for(const Arguments& arguments) {
  const Wanted wanted(arguments.name);
  std::vector<Sighting> found = look(arguments, wanted.name);
  std::erase_if(found, [&](const Sighting& each) { return !wanted.matches(each.report.uid); });
  if (found.empty()) std::cerr << "troupe: nobody has the name '" << arguments.name << "'\n";
  return found;
}

// How long an actor takes to answer; none when it does not.
std::optional<std::chrono::nanoseconds> round_trip(const Sighting& actor,
                                                   std::chrono::nanoseconds timeout) {
  if (!actor.portal) return std::nullopt;
  const auto begin = std::chrono::steady_clock::now();
  try {
    if (!move_on_after(timeout, [&] { actor.portal->run<&detail::report_actor>(false); })) {
      return std::nullopt;
    }
  } catch (const Error&) {  // it has gone
    return std::nullopt;
  }
  return std::chrono::steady_clock::now() - begin;
}

void put_head(JsonWriter& json, const Sighting& actor) {
  json.open({}, '{');
  json.put("name", actor.report.uid.name);
  json.put("uuid", actor.report.uid.uuid);
  if (actor.report.pid != 0) json.put("pid", actor.report.pid);
}

std::string text_of(const Sighting& actor) {
  return "actor " + actor.report.uid.to_string() +
         (actor.report.pid == 0 ? "" : " (pid " + std::to_string(actor.report.pid) + ")");
}

int ping(const Arguments& arguments) {
  const std::vector<Sighting> found = look_for(arguments);
  JsonWriter json;
  json.open({}, '{');
  json.open("actors", '[');
  int code = found.empty() ? somebody_missing : done;
  std::string text;
  for (const Sighting& actor : found) {
    const auto time = round_trip(actor, arguments.timeout);
    if (!time) code = somebody_missing;
    put_head(json, actor);
    json.put("state", time ? "answers" : "does not answer");
    if (time) json.put("round_trip_us", time->count() / 1000);
    json.close('}');
    char milliseconds[32] = "";
    if (time) {
      std::snprintf(milliseconds, sizeof milliseconds, " in %.3f ms",
                    static_cast<double>(time->count()) * 1e-6);
    }
    text += text_of(actor) + (time ? " answers" : " does not answer") + milliseconds + "\n";
  }
  json.close(']');
  json.close('}');
  std::cout << (arguments.json ? json.text() + "\n" : text);
  return code;
}

int cancel(const Arguments& arguments) {
  const std::vector<Sighting> found = look_for(arguments);
  if (found.empty()) return somebody_missing;
  if (found.size() > 1) {
    std::cerr << "troupe: several actors have the name '" << arguments.name << "'; name one:\n";
    for (const Sighting& actor : found) std::cerr << "  " << actor.report.uid.to_string() << "\n";
    return wrong_use;
  }
  const Sighting& actor = found.front();
  const bool ended = actor.portal && actor.portal->cancel_actor(arguments.timeout);
  if (arguments.json) {
    JsonWriter json;
    put_head(json, actor);
    json.put("state", ended ? "has ended" : "has not ended in time");
    json.close('}');
    std::cout << json.text() << "\n";
  } else {
    std::cout << text_of(actor)
              << (ended          ? " has ended"
                  : actor.portal ? " was asked to end, and has not ended in time"
                                 : " does not answer; if it is to end all the same, kill its pid")
              << "\n";
  }
  return ended ? done : somebody_missing;
}

int carry_out_or_throw(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::ls:
    case Command::tree:
      return show(arguments);
    case Command::ping:
      return ping(arguments);
    case Command::cancel:
      return cancel(arguments);
    case Command::help:
      break;
  }
  std::cout << help_text();
  return done;
}

}  // namespace

int carry_out(const Arguments& arguments) {
  try {
    return carry_out_or_throw(arguments);
  } catch (const TransportClosed& closed) {
    std::cerr << "troupe: there is no arbiter to ask at " << arguments.arbiter << ": "
              << closed.what() << "\n(`troupe ls --local` needs none)\n";
    return no_arbiter;
  } catch (const ModuleNotExposed&) {
    std::cerr << "troupe: the actor at " << arguments.arbiter
              << " is no arbiter; give an arbiter's address, or --local\n";
    return no_arbiter;
  } catch (const UsageError& error) {
    std::cerr << "troupe: " << error.what() << "\n";
    return wrong_use;
  }
}

}  // namespace troupe::tool
