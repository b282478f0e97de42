// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/child_main.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "troupe/ipc/errors.h"
#include "troupe/ipc/locality.h"
#include "troupe/ipc/process_libraries.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/boot_spec.h"
#include "troupe/runtime/actor/debugger.h"
#include "troupe/runtime/actor/interrupts.h"
#include "troupe/runtime/actor/run_directory.h"
#include "troupe/runtime/actor/runtime_functions.h"
#include "troupe/runtime/actor/tracer.h"
#include "troupe/runtime/actor/tree_report.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/base/log_choice.h"
#include "troupe/runtime/base/throw_trace.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/lifeline.h"
#include "troupe/spawn/process_name.h"

namespace troupe {
namespace {

// How long an actor may take to end in order when its parent has died; the watcher ends it a little
// later.
constexpr auto orphan_grace = std::chrono::milliseconds(400);
// The runtime of an actor mostly fails because its parent has died a moment ago; the life-line may
// take so long to tell.
constexpr auto last_breath = std::chrono::milliseconds(100);
// Where nobody listens that is told at once.
constexpr auto slow_answer = std::chrono::seconds(1);

// Where to reach the parent: at its socket in the run directory, if it has one and this host is
// the parent's.
Address parent_address(const BootSpec& spec) {
  const DirectoryEntry parent = spec.parent.entry();
  const bool same_host = parent.host == this_host();
  for (const Address& address : parent.addresses) {
    if (same_host && address.path().starts_with(spec.run_directory + "/")) return address;
  }
  const std::vector<Address> near = nearest_first(parent.addresses, parent.host);
  return near.empty() ? parent.addresses.at(0) : near.front();
}

// Whether the parent's files mean nothing here: a launcher has started this actor elsewhere.
bool is_elsewhere(const BootSpec& spec) {
  return spec.parent.host != this_host() && ::access(spec.run_directory.c_str(), F_OK) != 0;
}

[[noreturn]] void throw_out_of_reach(const BootSpec& spec) {
  std::string listens_at;
  for (const std::string& address : spec.parent.addresses) {
    listens_at += (listens_at.empty() ? "" : ", ") + address;
  }
  throw SpawnFailed("actor '" + spec.uid.name +
                    "' was started on another host, from where no address of its parent '" +
                    spec.parent.uid.name + "' can be reached (it listens at " + listens_at +
                    "); let the parent listen at one that can: give it bind_addrs with a "
                    "tcp:// address of its host, and the program insecure_tcp");
}

// On another host an actor has a run directory of its own, and listens in it and, for the others,
// where it sees its parent; unless it was told where.
void settle_elsewhere(BootSpec& spec, const std::string& run_directory) {
  const DirectoryEntry parent = spec.parent.entry();
  if (nearest_first(parent.addresses, parent.host).empty()) throw_out_of_reach(spec);
  const std::string at_parents = "ipc://" + spec.run_directory + "/";
  spec.run_directory = run_directory;
  spec.tasks.trace_file.clear();
  spec.public_host = interface_towards(parent_address(spec));
  if (!spec.bind_addresses.front().starts_with(at_parents)) return;
  spec.bind_addresses = {"ipc://" + run_directory + "/" + spec.uid.uuid.substr(0, 16)};
  if (!spec.public_host.empty()) {
    spec.bind_addresses.push_back(Address::tcp(spec.public_host, 0).str());
  }
}

ActorConfig config_of(const BootSpec& spec, const RunOptions& options, DirectoryFactory directory) {
  ActorConfig config;
  config.uid = spec.uid;
  config.parent = spec.parent.uid;
  config.parent_address = parent_address(spec);
  config.root = spec.root.entry();
  for (const ActorSpec& arbiter : spec.arbiters) config.arbiters.push_back(arbiter.entry());
  // That saves a connection; but who runs code of its own before it serves may be looked for by
  // then.
  config.entered_by_parent = !options.on_actor_start;
  config.run_directory = spec.run_directory;
  for (const std::string& address : spec.bind_addresses) {
    config.bind.push_back(Address::parse(address));
  }
  config.public_host = spec.public_host;
  config.key = Key::from_bytes(spec.key);
  config.in_cluster = spec.in_cluster;
  config.token_file = spec.token_file;
  config.insecure_tcp = spec.insecure_tcp;
  config.dump_on_sigusr1 = spec.dump_on_sigusr1;
  config.debug_mode = spec.debug_children;
  for (const std::string& module : spec.modules) config.modules.emplace_back(module);
  config.functions = spec.functions;
  config.cancel_grace = spec.cancel_grace;
  config.times.liveness = spec.liveness;
  config.statespace = spec.statespace;
  config.start_method = spec.start_method;
  config.tasks = spec.tasks;
  config.directory = directory;
  return config;
}

// Tells the parent that the actor serves, or why it cannot. A handshake that took too long is tried
// again: how long a child may take to come up on a busy machine is its parent's to decide.
void report(Actor& actor, const std::string& why_not) {
  const ActorConfig& config = actor.config();
  for (;;) {
    const TimePoint begin = current_time();
    try {
      return actor.portal(*config.parent, config.parent_address)
          .run<&detail::child_is_ready>(ActorSpec(actor.entry()), why_not);
    } catch (const TransportClosed& closed) {
      const bool was_slow = current_time() - begin > slow_answer;
      const bool may_pass = closed.reason() == TransportClosed::Reason::unreachable && was_slow;
      if (!may_pass || actor.cancel_requested().is_set()) throw;
      log_message(LogLevel::warning, "actor",
                  std::string("the parent is tried again: ") + closed.what());
    }
  }
}

// Boots and reports. Returns whether the actor serves.
bool boot_and_report(Actor& actor, RunOptions& options) {
  std::string why_not;
  try {
    actor.boot();
    if (options.on_actor_start) options.on_actor_start();
  } catch (const std::exception& error) {
    why_not = exception_type_name(std::current_exception()) + ": " + error.what();
  }
  report(actor, why_not);
  return why_not.empty();
}

// Asks the actor to end when the parent dies, from the watcher's thread.
UniqueFunction<void()> cancel_on_orphaned(Actor& actor) {
  return [token = current_token(), &actor, run_directory = actor.config().run_directory] {
    remove_abandoned_run(run_directory);
    try {
      token.post([&actor] { actor.request_cancel(orphan_grace); });
    } catch (const UsageError&) {  // it is ending already
    }
  };
}

// Serves callers until the actor is asked to end. Returns the exit code.
int serve_callers(Actor& actor, RunOptions& options, LifeLine& lifeline) {
  lifeline.change_on_eof(cancel_on_orphaned(actor));
  // Who dies with its parent removes the parent's socket, too: nobody else is left to do it. (At an
  // address that others know, too, a successor may listen by then.)
  const Address& parent = actor.config().parent_address;
  if (actor.owns(parent)) lifeline.add_path(parent.path());
  for (const Address& address : actor.config().bind) {
    if (address.kind() == Address::Kind::ipc) lifeline.add_path(address.path());
  }
  actor.lifeline = &lifeline;
  struct Detach {
    Actor& actor;
    ~Detach() { std::exchange(actor.lifeline, nullptr)->change_on_eof(nullptr); }
  } const detach{actor};
  if (!boot_and_report(actor, options)) return 1;
  actor.cancel_requested().wait();
  return 0;
}

// What a dead parent leaves behind: its socket, and if it was the root or the root is gone as well,
// the run's directory.
void remove_remains(const Address& parent, const std::string& run_directory) {
  if (parent.path().starts_with(run_directory + "/")) ::unlink(parent.path().c_str());
  remove_abandoned_run(run_directory);
}

// The actor's main task: serves, lets its callers' tasks end, and takes leave.
int live(ActorConfig config, RunOptions& options, LifeLine& lifeline) {
  int exit_code = 0;
  std::unique_ptr<Actor> actor;
  open_task_nursery([&](TaskNursery& runtime) {
    open_task_nursery([&](TaskNursery& calls) {
      actor = std::make_unique<Actor>(std::move(config), runtime, calls);
      const SignalWatch termination(
          {SIGTERM}, [&actor](int) { actor->request_cancel(actor->config().cancel_grace); });
      report_tree_on_sigusr1_if_wanted(*actor);
      exit_code = serve_callers(*actor, options, lifeline);
      calls.cancel("the actor was asked to end");
    });
    actor->run_exit_callbacks();
    actor->shut_down();
    runtime.cancel();
  });
  actor->leave_sockets_to_exit();
  leave_libraries_to_exit();
  actor.reset();
  return exit_code;
}

void log_failure(const std::exception& error) {
  log_message(LogLevel::error, "actor",
              std::string("an actor's process ends with an error: ") + error.what());
}

// Makes the process the actor's and runs that. Returns the exit code.
int run_actor(const BootSpec& spec, RunOptions& options, DirectoryFactory directory,
              LifeLine& lifeline, std::optional<EarlyConnection> towards_parent) {
  set_process_name(spec.uid.name);
  inherit_log_levels(spec.log);
  enable_throw_traces(spec.tasks.tracebacks);
  if (spec.debug_mode) detail::enable_debug_mode(spec.uid.name);
  std::signal(SIGINT, SIG_IGN);  // only the root listens to the terminal
  // Its stderr is read by its parent, whose death it is to survive until it has cleared up.
  ignore_if_default(SIGPIPE);
  const BlockedSignals blocked({SIGTERM});
  FiberOptions fibers;
  fibers.stack_size = spec.tasks.stack_size;
  fibers.schedule_seed = spec.tasks.schedule_seed;
  fibers.busy_poll = spec.tasks.busy_poll;
  try {
    const auto tracer = Tracer::of_actor(spec.tasks.trace_file, spec.uid.name);
    if (tracer) fibers.instruments.push_back(tracer.get());
    return run_tasks(
        [&] {
          ActorConfig config = config_of(spec, options, directory);
          config.towards_parent = std::move(towards_parent);
          return live(std::move(config), options, lifeline);
        },
        fibers);
  } catch (const std::exception& error) {
    log_failure(error);
    lifeline.parent_gone_within(last_breath);
    return 1;
  }
}

}  // namespace

void run_child_actor(Boot boot, RunOptions options, DirectoryFactory directory) {
  int exit_code = 1;
  try {
    // First of all: from here on this process clears up after a parent that dies.
    LifeLine lifeline(std::move(boot.lifeline), std::move(boot.parent), nullptr);
    BootSpec spec = BootSpec::decode(boot.blob);
    std::optional<RunDirectory> own_directory;
    std::optional<EarlyConnection> towards_parent;
    if (is_elsewhere(spec)) {
      settle_elsewhere(spec, own_directory.emplace().path());
    } else {
      towards_parent.emplace(parent_address(spec), TimeLimits{.liveness = spec.liveness});
    }
    lifeline.add_path(spec.run_directory);
    exit_code = run_actor(spec, options, directory, lifeline, std::move(towards_parent));
    if (lifeline.parent_gone_within(std::chrono::milliseconds(0))) {
      remove_remains(parent_address(spec), spec.run_directory);
    }
  } catch (const std::exception& error) {
    log_failure(error);
  }
  std::exit(exit_code);
}

void clear_up_after_parent(BytesView blob) {
  const BootSpec spec = BootSpec::decode(blob);
  if (!is_elsewhere(spec)) remove_remains(parent_address(spec), spec.run_directory);
}

}  // namespace troupe
