// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/troupe/arguments.h"

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <optional>

#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/base/error.h"

namespace troupe::tool {
namespace {

constexpr double longest_timeout = 3600;

[[noreturn]] void refuse(const std::string& why) {
  throw UsageError(why + "; `troupe --help` shows what there is");
}

std::optional<Command> command_of(const std::string& word) {
  if (word == "help") return Command::help;
  if (word == "ls") return Command::ls;
  if (word == "tree") return Command::tree;
  if (word == "ping") return Command::ping;
  if (word == "cancel") return Command::cancel;
  return std::nullopt;
}

std::chrono::nanoseconds timeout_of(const std::string& text) {
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(seconds > 0) || seconds > longest_timeout) {
    refuse("--timeout takes a number of seconds, more than 0 and 3600 at most, not '" + text + "'");
  }
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

// Reads words one after the other.
class Reader {
 public:
  explicit Reader(const std::vector<std::string>& words) : words_(words) {}

  Arguments read() {
    while (at_ < words_.size()) read_word(words_[at_++]);
    if (!helps_) check();
    if (helps_) result_.command = Command::help;
    if (result_.arbiter.empty()) result_.arbiter = usual_arbiter();
    return result_;
  }

 private:
  void read_word(const std::string& word) {
    if (word == "--help" || word == "-h") {
      helps_ = true;
    } else if (word.starts_with("-")) {
      read_option(word);
    } else if (!command_) {
      command_ = command_of(word);
      if (!command_) refuse("there is no command '" + word + "'");
      result_.command = *command_;
    } else if (result_.name.empty()) {
      result_.name = word;
    } else {
      refuse("'" + word + "' is one word too many");
    }
  }

  // "--option value" and "--option=value".
  void read_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string option = word.substr(0, equals);
    if (equals != std::string::npos) value_ = word.substr(equals + 1);
    if (option == "--arbiter") {
      result_.arbiter = value_of(option);
    } else if (option == "--token-file") {
      result_.token_file = value_of(option);
    } else if (option == "--timeout") {
      result_.timeout = timeout_of(value_of(option));
    } else if (bool* flag = flag_of(option)) {
      if (value_) refuse(option + " takes no value");
      *flag = true;
    } else {
      refuse("there is no option '" + option + "'");
    }
    value_.reset();
  }

  bool* flag_of(const std::string& option) {
    if (option == "--local") return &result_.local;
    if (option == "--tasks") return &result_.tasks;
    if (option == "--all-tasks") return &result_.runtime_tasks;
    if (option == "--json") return &result_.json;
    if (option == "--insecure-tcp") return &result_.insecure_tcp;
    return nullptr;
  }

  std::string value_of(const std::string& option) {
    if (!value_ && at_ < words_.size()) value_ = words_[at_++];
    if (!value_ || value_->empty()) refuse(option + " needs a value");
    return *value_;
  }

  void check() {
    if (!command_) refuse("a command is missing: ls, tree, ping or cancel");
    const bool wants_name = *command_ == Command::ping || *command_ == Command::cancel;
    if (*command_ == Command::help) helps_ = true;
    if (wants_name && result_.name.empty()) refuse("the name of an actor is missing");
    if (!wants_name && !result_.name.empty()) {
      refuse("'" + result_.name + "' is one word too many");
    }
    if (result_.local && !result_.arbiter.empty()) {
      refuse("--local and --arbiter exclude each other");
    }
    if (result_.runtime_tasks) result_.tasks = true;
    if (result_.tasks && *command_ != Command::tree) refuse("--tasks belongs to `troupe tree`");
  }

  static std::string usual_arbiter() {
    const char* text = std::getenv("TROUPE_ARBITER_ADDR");
    return text == nullptr || *text == '\0' ? default_arbiter : text;
  }

  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  Arguments result_;
  std::optional<Command> command_;
  std::optional<std::string> value_;
  bool helps_ = false;
};

}  // namespace

Arguments parse_arguments(const std::vector<std::string>& words) { return Reader(words).read(); }

const char* help_text() {
  return R"(troupe looks at programs that run.

  troupe ls                  every actor: name, uuid, pid, host, address, since when
  troupe tree                the same as trees: who has started whom
  troupe tree --tasks        and what each of their tasks waits for, and since when
  troupe ping NAME           asks whether the actor answers, and how fast
  troupe cancel NAME         asks it to end in order, and waits for that

NAME is an actor's name; name@1f3a9c02, with the first digits of its uuid, where
several actors have that name.

Whose actors
  --arbiter ADDR     those who are registered with the arbiter at ADDR; without it the
                     one at TROUPE_ARBITER_ADDR, else at tcp://127.0.0.1:1616
  --local            those of this user's own trees on this host, arbiter or not
  --token-file FILE  the cluster's secret; without it TROUPE_TOKEN_FILE, else the user's own
  --insecure-tcp     use tcp beyond this host, though it is not encrypted

How
  --timeout SECONDS  how long an actor may take to answer (3)
  --all-tasks        as --tasks, with the tasks that troupe runs for itself
  --json             one line of JSON, for programs
  -h, --help         this text

Examples
  troupe ls --local                     what of mine runs here?
  troupe tree --tasks --local           my program hangs: which task waits for whom?
  troupe ping theatre --timeout 0.5     does the daemon still answer?
  troupe cancel worker@1f3a9c02         end one of several workers
  troupe ls --arbiter tcp://10.0.0.7:1616 --insecure-tcp --token-file cluster.key

Exit codes
  0  done; everybody has answered
  1  somebody has not answered, has gone meanwhile, or nobody has that name
  2  the command line is wrong, or NAME means several actors
  3  there is no arbiter, or it lets nobody in
)";
}

}  // namespace troupe::tool
