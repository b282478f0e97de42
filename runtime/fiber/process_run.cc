// SPDX-License-Identifier: Apache-2.0

// The supervision of a process by its task: feeding it, reading it, waiting for it, ending it.

#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/process.h"
#include "troupe/runtime/fiber/process_impl.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;

// After SIGTERM, until SIGKILL.
constexpr Duration grace = 5s;
// After the end of a cancelled process, for what it has still written to be read: its own children
// may hold the pipes open.
constexpr Duration drain_limit = 1s;
constexpr std::size_t max_line = 64 * 1024;
constexpr std::size_t max_tail = 4 * 1024;

// ----- outputs

// Cuts a stream into lines and logs each, with a label. Lines without end come in pieces.
class LineRelay {
 public:
  LineRelay(std::string label, LogLevel level) : label_(std::move(label)), level_(level) {}

  void feed(std::string_view text) {
    for (std::size_t end; (end = text.find('\n')) != std::string_view::npos;) {
      line_ += text.substr(0, end);
      text.remove_prefix(end + 1);
      log_line();
    }
    line_ += text;
    if (line_.size() >= max_line) log_line();
  }
  void finish() {
    if (!line_.empty()) log_line();
  }

 private:
  void log_line() {
    if (line_.ends_with('\r')) line_.pop_back();
    log_message(level_, "process", label_ + ": " + std::exchange(line_, {}));
  }

  std::string label_;
  LogLevel level_;
  std::string line_;
};

void keep_tail(std::string& text) {
  if (text.size() > 2 * max_tail) text.erase(0, text.size() - max_tail);
}

void capture(PipeReader& from, std::string& to) {
  for (std::string some; !(some = from.read_some()).empty();) to += some;
}

void relay(PipeReader& from, LineRelay lines, std::string& tail) {
  struct Finish {
    LineRelay& lines;
    ~Finish() { lines.finish(); }
  } const finish{lines};
  for (std::string some; !(some = from.read_some()).empty();) {
    lines.feed(some);
    tail += some;
    keep_tail(tail);
  }
}

void feed(PipeWriter& in, const std::string& input) {
  try {
    in.write_all(input);
  } catch (const BrokenChannel&) {  // it has read enough
  }
  in.close();
}

// ----- the supervisor

class Supervisor {
 public:
  Supervisor(Process& process, Process::Impl& impl, ProcessOptions& options)
      : process_(process), impl_(impl), options_(options) {
    result_.argv = impl.argv;
  }

  CompletedProcess run() {
    open_task_nursery([this](TaskNursery& n) {
      n.start_soon(impl_.label + ": pipes", [this] { io_scope_.run([this] { use_pipes(); }); });
      struct Stop {
        CancelScope& scope;
        ~Stop() { scope.cancel(); }
      } const stop{io_scope_};
      wait_for_end();
    });
    result_.status = *impl_.status;
    if (options_.check && !result_.status.ok()) {
      const std::string text = failure_text();
      throw ProcessFailed(text, std::move(result_));
    }
    return std::move(result_);
  }

 private:
  void use_pipes() {
    struct Ended {
      Event& event;
      ~Ended() { event.set(); }
    } const ended{io_ended_};
    open_task_nursery([this](TaskNursery& n) {
      if (options_.input)
        n.start_soon(impl_.label + ": stdin", [this] { feed(*impl_.in, *options_.input); });
      start_reader(n, options_.out, impl_.out.get(), "", result_.out);
      start_reader(n, options_.err, impl_.err.get(), " stderr", result_.err);
    });
  }

  void start_reader(TaskNursery& n, ProcessIo io, PipeReader* from, const char* which,
                    std::string& text) {
    const std::string name = impl_.label + which;
    if (io == ProcessIo::capture) {
      n.start_soon(name, [from, &text] { capture(*from, text); });
    } else if (io == ProcessIo::log) {
      n.start_soon(name,
                   [=, this, &text] { relay(*from, LineRelay(name, options_.log_level), text); });
    }
  }

  // The pipes are used, whatever is cancelled, as long as the process lives: it may have something
  // to say while it ends.
  void wait_for_end() {
    std::exception_ptr error;
    try {
      impl_.watch();
      io_ended_.wait();
    } catch (...) {
      error = std::current_exception();
    }
    if (!error) return;
    CancelScope shield({.shield = true});
    shield.run([this, &error] {
      if (!impl_.reap()) end_process(is_cancellation(error));
      move_on_after(drain_limit, [this] { io_ended_.wait(); });
    });
    std::rethrow_exception(error);
  }

  static bool is_cancellation(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const Cancelled&) {
      return true;
    } catch (...) {
      return false;
    }
  }

  void end_process(bool in_order) {
    std::exception_ptr error;
    if (in_order) {
      try {
        deliver_cancel();
      } catch (...) {
        error = std::current_exception();
      }
    }
    if (!impl_.reap()) process_.kill();
    impl_.watch();
    if (error) std::rethrow_exception(error);
  }

  // The policy's job is done when the process has ended.
  void deliver_cancel() {
    open_task_nursery([this](TaskNursery& n) {
      n.start_soon(impl_.label + ": deliver_cancel", [this] {
        options_.deliver_cancel ? options_.deliver_cancel(process_) : terminate_then_kill();
      });
      impl_.watch();
      n.cancel();
    });
  }

  void terminate_then_kill() {
    process_.terminate();
    if (move_on_after(grace, [this] { process_.wait(); })) return;
    log_message(LogLevel::warning, "process", who() + " lives on 5 s after SIGTERM; it is killed");
    process_.kill();
  }

  std::string who() const {
    return "process '" + impl_.label + "' (pid " + std::to_string(impl_.pid) + ")";
  }

  std::string failure_text() const {
    std::string text = who() + " ended with " + result_.status.to_string();
    std::string_view last = result_.err;
    if (last.size() > max_tail) last.remove_prefix(last.size() - max_tail);
    while (last.ends_with('\n')) last.remove_suffix(1);
    if (!last.empty()) text += "; the last it wrote to stderr:\n" + std::string(last);
    return text;
  }

  Process& process_;
  Process::Impl& impl_;
  ProcessOptions& options_;
  CompletedProcess result_;
  CancelScope io_scope_{{.shield = true}};
  Event io_ended_;
};

struct Started {
  std::shared_ptr<Process> process;
  Process::Impl* impl;
};

Started start(std::vector<std::string> argv, const ProcessOptions& options) {
  detail::SpawnedProcess spawned = detail::spawn_process(argv, options);
  std::string label = detail::process_label(argv, options);
  auto impl =
      std::make_unique<Process::Impl>(std::move(argv), std::move(label), std::move(spawned));
  Process::Impl* const its = impl.get();
  return {std::make_shared<Process>(std::move(impl)), its};
}

}  // namespace

ProcessFailed::ProcessFailed(const std::string& message, CompletedProcess process)
    : Error(message), process_(std::make_shared<const CompletedProcess>(std::move(process))) {}

CompletedProcess run_process(std::vector<std::string> argv, ProcessOptions options) {
  Loop::current().check_cancelled();
  for (const ProcessIo io : {options.in, options.out, options.err}) {
    if (io == ProcessIo::pipe)
      throw UsageError("run_process leaves nobody to use a pipe: use start_process, or `capture`");
  }
  const Started started = start(std::move(argv), options);
  return Supervisor(*started.process, *started.impl, options).run();
}

std::shared_ptr<Process> start_process(TaskNursery& nursery, std::vector<std::string> argv,
                                       ProcessOptions options) {
  Started started = start(std::move(argv), options);
  nursery.start_soon(started.impl->label, [started, options = std::move(options)]() mutable {
    Supervisor(*started.process, *started.impl, options).run();
  });
  return started.process;
}

}  // namespace troupe
