// SPDX-License-Identifier: Apache-2.0
#include "troupe/run.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/discovery/cluster.h"
#include "troupe/discovery/registrar.h"
#include "troupe/ipc/process_libraries.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/child_main.h"
#include "troupe/runtime/actor/debugger.h"
#include "troupe/runtime/actor/interrupts.h"
#include "troupe/runtime/actor/tracer.h"
#include "troupe/runtime/actor/tree_report.h"
#include "troupe/runtime/base/log_choice.h"
#include "troupe/runtime/base/throw_trace.h"
#include "troupe/runtime/base/write_all.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/rpc/crash_hook.h"
#include "troupe/runtime/rpc/error_report.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/spawn/boot.h"

namespace troupe {
namespace {

ActorConfig root_config(const RunOptions& options) {
  ActorConfig config;
  config.uid = {options.name, make_uuid()};
  config.modules = options.enable_modules;
  config.cancel_grace = options.cancel_grace;
  config.statespace = options.statespace.entries();
  config.start_method = choose_start_method(options.start_method);
  config.dump_on_sigusr1 = options.dump_on_sigusr1;
  config.debug_mode = options.debug_mode;
  config.tasks = {options.stack_size, options.schedule_seed, options.busy_poll, options.tracebacks,
                  Tracer::path_of_environment()};
  config.directory = &make_directory;
  configure_cluster(config, options);
  return config;
}

// A second signal does not wait for anybody: children are killed, and theirs die with them.
[[noreturn]] void end_at_once(const Actor& actor, int signal) {
  actor.kill_children();
  std::_Exit(signal_exit_base + signal);
}

// The first signal cancels the whole tree in order.
void on_signal(int signal, const Actor& actor, CancelScope& main, int& caught) {
  if (caught != 0) end_at_once(actor, signal);
  caught = signal;
  main.cancel_with({CancelSource::interrupt, caught == SIGINT ? "SIGINT" : "SIGTERM", {}});
}

// A peer may ask a root to end. It serves no more then, and its main task decides when to exit.
void watch_cancel_requests(Actor& actor) {
  actor.cancel_requested().wait();
  actor.stop_serving();
}

void run_root_actor(RunOptions& options, const std::vector<int>& signals, int& caught,
                    UniqueFunction<void()>& main) {
  choose_log_levels(options.loglevel);
  if (options.debug_mode) detail::enable_debug_mode(options.name);
  std::unique_ptr<Actor> actor;
  std::exception_ptr error;
  CancelScope scope;
  std::optional<Interrupts> interrupts;
  open_task_nursery([&](TaskNursery& runtime) {
    open_task_nursery([&](TaskNursery& calls) {
      actor = std::make_unique<Actor>(root_config(options), runtime, calls);
      if (!signals.empty()) {
        interrupts.emplace(signals, [&](int signal) { on_signal(signal, *actor, scope, caught); });
      }
      runtime.start_soon("cancel requests", [&] { watch_cancel_requests(*actor); });
      report_tree_on_sigusr1_if_wanted(*actor);
      try {
        scope.run([&] {
          if (options.on_actor_start) options.on_actor_start();
          if (serves_from_the_start(actor->config())) actor->boot();
          main();
        });
      } catch (const Cancelled&) {
        throw;
      } catch (...) {
        error = std::current_exception();
        if (detail::uncaught_error_hook != nullptr) detail::uncaught_error_hook(error);
      }
      calls.cancel("the root ends");
    });
    actor->run_exit_callbacks();
    actor->shut_down();
    runtime.cancel();
    if (error) std::rethrow_exception(error);
  });
}

FiberOptions fiber_options(const RunOptions& options, Instrument* tracer) {
  FiberOptions fibers;
  if (tracer != nullptr) fibers.instruments.push_back(tracer);
  fibers.clock = options.clock;
  fibers.schedule_seed = options.schedule_seed;
  fibers.busy_poll = options.busy_poll;
  fibers.stack_size = options.stack_size;
  return fibers;
}

void report(const std::exception_ptr& error, const std::string& root) {
  const ReportFormat format = report_format(STDERR_FILENO);
  const std::string text = error_report(error, Uid{root, {}}, format);
  write_all(STDERR_FILENO, format == ReportFormat::json ? text : "troupe: uncaught error\n" + text);
}

// What a zygote does once for its children.
void prepare_forks() {
  start_libraries_before_forks();
  detail::prepare_runs();
  FunctionTable::instance().check();
}

constexpr BootHooks child_hooks{.before_forks = &prepare_forks, .orphaned = &clear_up_after_parent};

void serve_until_cancelled() {
  Actor& actor = Actor::booted();
  actor.cancel_requested().wait();
}

}  // namespace

namespace detail {

void become_child_if_spawned(RunOptions& options) {
  if (std::optional<Boot> boot = take_boot_record(child_hooks)) {
    run_child_actor(*std::move(boot), std::move(options), &make_directory);
  }
  FunctionTable::instance().check();
}

void run_root(RunOptions options, UniqueFunction<void()> main) {
  enable_throw_traces(options.tracebacks);
  int caught = 0;
  const auto tracer = Tracer::of_root(Tracer::path_of_environment(), options.name);
  run_tasks([&] { run_root_actor(options, {}, caught, main); },
            fiber_options(options, tracer.get()));
}

int run_program(RunOptions options, UniqueFunction<int()> main) {
  enable_throw_traces(options.tracebacks);
  const BlockedSignals blocked({SIGINT, SIGTERM});
  int exit_code = 0;
  int caught = 0;
  UniqueFunction<void()> call_main = [&] { exit_code = main(); };
  try {
    const auto tracer = Tracer::of_root(Tracer::path_of_environment(), options.name);
    run_tasks([&] { run_root_actor(options, blocked.signals(), caught, call_main); },
              fiber_options(options, tracer.get()));
  } catch (...) {
    report(std::current_exception(), options.name);
    exit_code = 1;
  }
  return caught != 0 ? signal_exit_base + caught : exit_code;
}

}  // namespace detail

void init(int, char**, RunOptions options) { detail::become_child_if_spawned(options); }

int run_daemon(std::vector<Module> modules, RunOptions options) {
  for (Module& module : modules) options.enable_modules.push_back(module);
  const std::string name = options.name;
  const int exit_code = run(std::move(options), &serve_until_cancelled);
  if (exit_code > signal_exit_base) {
    write_all(STDERR_FILENO, "troupe: daemon '" + name + "' was ended by " +
                                 (exit_code == signal_exit_base + SIGINT ? "SIGINT" : "SIGTERM") +
                                 "\n");
  }
  return exit_code;
}

int run_daemon(int, char**, std::vector<Module> modules, RunOptions options) {
  detail::become_child_if_spawned(options);
  return run_daemon(std::move(modules), std::move(options));
}

}  // namespace troupe
