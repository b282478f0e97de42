// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/child_actor.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include "troupe/ipc/address_claim.h"
#include "troupe/ipc/connection.h"
#include "troupe/ipc/dialog_handler.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/actor/debugger.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/actor/runtime_functions.h"
#include "troupe/runtime/actor/start_process.h"
#include "troupe/runtime/actor/tracer.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/log_choice.h"
#include "troupe/runtime/base/log_line.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/call_trace.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/lifeline.h"
#include "troupe/spawn/terminate.h"

namespace troupe {
namespace {

// A child that neither serves nor ends within this time is taken for stuck in its start.
constexpr auto boot_limit = std::chrono::seconds(30);
// How long the last words of a dead child may take to be read; its connection closes with it. In
// slices, each of which is a turn of the loop at the least: one that other tasks have held up is
// not to pass the verdict before it has looked at its sockets.
constexpr auto last_words_slice = std::chrono::milliseconds(5);
constexpr int last_words_slices = 20;
// How often it is looked whether a debugger has ended.
constexpr auto debugger_look = std::chrono::milliseconds(100);

// Asks an actor to end; nobody waits for its answer, since its end is the answer.
class EndRequest final : public DialogHandler {
 public:
  explicit EndRequest(std::shared_ptr<Connection> connection)
      : connection_(std::move(connection)), dialog_(connection_->open_dialog(*this)) {}
  EndRequest(const EndRequest&) = delete;
  EndRequest& operator=(const EndRequest&) = delete;
  ~EndRequest() { close(); }

  void send(std::chrono::nanoseconds grace) {
    Bytes request;
    detail::encode_start<&detail::cancel_actor>(request, std::nullopt, grace, connection_->self());
    detail::trace_call(connection_->self(), connection_->peer(), dialog_);
    connection_->send(FrameKind::start, dialog_, std::move(request));
    connection_->flush();
  }

  void on_frame(FrameKind, BytesView) override { close(); }
  void on_closed(std::exception_ptr) override { connection_.reset(); }

 private:
  void close() {
    if (const auto connection = std::exchange(connection_, nullptr)) {
      connection->close_dialog(dialog_);
    }
  }

  std::shared_ptr<Connection> connection_;
  std::uint64_t dialog_;
};

// The request as far as it can be made: an actor whose connection broke hears it as a signal.
std::unique_ptr<EndRequest> ask_to_end(Child& process, const ChildLink& link,
                                       std::shared_ptr<Connection> connection,
                                       std::chrono::nanoseconds grace) {
  try {
    if (connection) {
      auto request = std::make_unique<EndRequest>(std::move(connection));
      request->send(grace);
      return request;
    }
    if (link.disconnected.is_set() && !link.took_leave) process.send_signal(SIGTERM);
  } catch (const Error&) {  // it is leaving already, or it will be killed
  }
  return nullptr;
}

std::string time_text(std::chrono::nanoseconds time) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  return std::to_string(milliseconds / 1000) + "." + std::to_string(milliseconds % 1000 / 100) +
         " s";
}

}  // namespace

ChildActor::ChildActor(Actor& parent, ActorOptions options, std::vector<FunctionName> functions)
    : parent_(parent),
      options_(std::move(options)),
      functions_(std::move(functions)),
      link_(std::make_shared<ChildLink>()) {
  link_->uid = {options_.name, make_uuid()};
  bind_ = choose_addresses();
  if (!bind_.front().is_wildcard()) link_->address = bind_.front();
  parent_.add_child(link_);
}

std::vector<Address> ChildActor::choose_addresses() const {
  std::vector<Address> chosen;
  for (const std::string& text : options_.bind_addrs) {
    chosen.push_back(Address::parse(text));
    require_allowed(chosen.back(), parent_.config().insecure_tcp);
  }
  if (!chosen.empty()) return chosen;
  chosen.push_back(parent_.child_address(link_->uid.uuid));
  const std::string& host = parent_.config().public_host;
  if (!host.empty()) chosen.push_back(Address::tcp(host, 0));
  return chosen;
}

ChildActor::~ChildActor() {
  finish();
  if (parent_.lifeline != nullptr) {
    if (process_) parent_.lifeline->remove_child(process_->lifeline_fd());
    for (const Address& address : bind_) parent_.lifeline->remove_path(address.path());
  }
  process_.reset();
  parent_.remove_child(*link_);
  remove_sockets();
}

// A killed child leaves its sockets behind. At an address that others know, too, somebody else may
// listen by now.
void ChildActor::remove_sockets() const noexcept {
  for (const Address& address : bind_) {
    if (address.kind() != Address::Kind::ipc) continue;
    if (parent_.owns(address)) {
      ::unlink(address.path().c_str());
    } else {
      remove_abandoned_socket(address);
    }
  }
}

BootSpec ChildActor::boot_spec() const {
  const ActorConfig& config = parent_.config();
  BootSpec spec;
  spec.uid = link_->uid;
  spec.parent = ActorSpec(parent_.entry());
  spec.root = config.root ? ActorSpec(*config.root) : spec.parent;
  for (const DirectoryEntry& arbiter : parent_.directory().arbiters()) {
    spec.arbiters.emplace_back(arbiter);
  }
  spec.run_directory = config.run_directory;
  for (const Address& address : bind_) spec.bind_addresses.push_back(address.str());
  spec.public_host = config.public_host;
  spec.key = Bytes(config.key->bytes());
  spec.in_cluster = config.in_cluster;
  spec.token_file = config.token_file;
  spec.insecure_tcp = config.insecure_tcp;
  spec.dump_on_sigusr1 = config.dump_on_sigusr1;
  spec.debug_mode = options_.debug_mode.value_or(config.debug_mode);
  spec.debug_children = config.debug_mode;
  if (spec.debug_mode) detail::expect_debugger();
  for (const Module& module : options_.enable_modules) {
    if (!module.name().empty()) {
      spec.modules.emplace_back(module.name());
    } else {
      for (FunctionName& name : module.names()) spec.functions.push_back(std::move(name));
    }
  }
  spec.functions.insert(spec.functions.end(), functions_.begin(), functions_.end());
  spec.log = log_levels_for_child(options_.loglevel);
  spec.statespace = options_.statespace.entries();
  spec.cancel_grace = parent_.config().cancel_grace;
  spec.liveness = parent_.config().times.liveness;
  spec.start_method = parent_.config().start_method;
  spec.tasks = parent_.config().tasks;
  spec.tasks.busy_poll = options_.busy_poll.value_or(spec.tasks.busy_poll);
  return spec;
}

void ChildActor::spawn() {
  if (const std::string fault = name_fault(options_.name); !fault.empty()) {
    throw UsageError("an actor cannot have the name '" + options_.name.substr(0, 64) +
                     "': " + fault);
  }
  checkpoint_if_cancelled();
  const TimePoint deadline = current_time() + boot_limit;
  if (!move_on_at(deadline,
                  [&] { process_ = start_process(parent_, options_, boot_spec().encode()); })) {
    throw SpawnFailed("actor '" + options_.name +
                      "' could not be started: its process did not take its boot record within " +
                      std::to_string(boot_limit.count()) +
                      " s; a program must reach troupe's `init` or `run`, and a launcher's command "
                      "must not ask for anything");
  }
  link_->pid = process_->pid();
  link_->kill = [this] { process_->kill(); };
  process_->on_end([link = link_] {
    link->ready.set();
    link->stop_for(Stop::ended);
  });
  if (parent_.lifeline != nullptr) {
    parent_.lifeline->add_child(process_->lifeline_fd());
    for (const Address& address : bind_) {
      if (parent_.owns(address)) parent_.lifeline->add_path(address.path());
    }
  }
  try {
    wait_until_ready(deadline);
  } catch (const Cancelled&) {
    terminate(*process_, std::chrono::seconds(0));  // there is nobody in it yet to be asked
    throw;
  }
  learn_address();
}

// A port of the system's choice is known once the child has told.
void ChildActor::learn_address() {
  if (link_->address.empty()) link_->address = parent_.peer(link_->uid, Address())->address();
}

void ChildActor::wait_until_ready(TimePoint deadline) {
  const bool in_time = bool(move_on_at(deadline, [&] { link_->ready.wait(); }));
  if (link_->boot_error) {
    terminate(*process_, std::chrono::seconds(1));  // it ends by itself, having told us why
    throw_boot_failure(*link_->boot_error);
  }
  if (link_->serves) return;
  if (!in_time) {
    throw_boot_failure("it did not come up within " + std::to_string(boot_limit.count()) + " s");
  }
  if (process_->wait().ok()) {
    throw_boot_failure(
        "its main() returned (exit code 0) without reaching troupe::run or troupe::init; call one "
        "of "
        "them on every path through main()");
  }
  throw_boot_failure("its process ended during its start with " + process_->status()->to_string());
}

void ChildActor::throw_boot_failure(const std::string& why) const {
  throw SpawnFailed("actor '" + options_.name + "' (pid " + std::to_string(link_->pid) +
                    ") could not be started: " + why +
                    detail::stderr_part(process_->stderr_tail()));
}

void ChildActor::wait() {
  while (link_->stop == Stop::no && !link_->returned) {
    link_->caretaker.park("the end of a child actor");
  }
}

void ChildActor::wait_for_process(std::chrono::nanoseconds limit) {
  move_on_after(limit, [&] { process_->wait(); });
}

// Its own grace, or the program's; never more than this actor has left itself.
std::chrono::nanoseconds ChildActor::grace() const {
  return parent_.grace_for_child(usual_grace());
}

std::chrono::nanoseconds ChildActor::usual_grace() const {
  return options_.shutdown.value_or(std::max(parent_.config().cancel_grace, link_->least_grace));
}

void ChildActor::wait_for_grace(std::chrono::nanoseconds grace) {
  CancelScope scope({.deadline = detail::saturating_add(current_time(), grace)});
  struct Hurry {
    ChildLink& link;
    ~Hurry() { link.hurry = nullptr; }
  } const hurry{*link_};
  link_->hurry = [this, &scope] {
    const TimePoint now = current_time();
    const Duration left = parent_.grace_for_child(Duration::max());
    scope.set_deadline(std::min(scope.deadline(), detail::saturating_add(now, left)));
  };
  scope.run([&] { process_->wait(); });
}

// Whoever stands in a debugger, or waits for the terminal to do so, is not stuck. Nobody can tell
// which actor that is, so all have time, and all of it afterwards: what this actor had left itself
// may have passed while it stood there.
void ChildActor::wait_for_debugger() {
  while (!has_ended() && detail::debugger_has_terminal()) wait_for_process(debugger_look);
  wait_for_process(usual_grace());
}

void ChildActor::end() {
  ended_by_us_ = true;
  log_line(LogLevel::cancel, "actor", "asks '", options_.name, "' (pid ", link_->pid, ") to end");
  CancelScope shield({.shield = true});
  shield.run([&] {
    const std::chrono::nanoseconds time = grace();
    if (time > Duration::zero()) {
      const auto request = ask_to_end(*process_, *link_, peer()->connection(), time);
      wait_for_grace(time);
    }
    while (!has_ended() && detail::debugger_has_terminal()) wait_for_debugger();
    link_->killed = !has_ended();
    if (link_->killed) Tracer::note("kills '" + options_.name + "'");
    if (link_->killed && time > Duration::zero()) {
      log_message(LogLevel::warning, "actor",
                  "actor '" + options_.name + "' (pid " + std::to_string(link_->pid) +
                      ") did not end within its grace time of " + time_text(time) +
                      " and is killed; give it more by ActorOptions.shutdown, or see that what it "
                      "runs comes to checkpoints");
    }
    status_ = terminate(*process_, std::chrono::seconds(0));
  });
}

std::exception_ptr ChildActor::verdict() {
  CancelScope shield({.shield = true});
  shield.run([&] {
    if (process_->status()) status_ = process_->wait();  // for what a launcher's command has left
    for (int i = 0; i < last_words_slices && !link_->disconnected.is_set(); ++i) {
      move_on_after(last_words_slice, [&] { link_->disconnected.wait(); });
    }
  });
  const std::exception_ptr unexpected = judge();
  finish();
  return unexpected;
}

std::exception_ptr ChildActor::judge() {
  // A good-bye that was read counts, though the end of its connection was not told in time.
  const bool took_leave = link_->took_leave || peer()->is_leaving();
  if (link_->killed || (took_leave && status_.ok())) return nullptr;
  if (ended_by_us_ && status_.signal == 0) return nullptr;
  link_->death =
      std::make_exception_ptr(ActorDied(link_->uid, link_->pid, status_, process_->stderr_tail()));
  Tracer::note(exception_message(link_->death));
  if (!ended_by_us_) return link_->death;
  // Its calls are told, but nobody is alarmed: it was to end anyway.
  log_message(LogLevel::warning, "actor",
              "while it was being ended: " + exception_message(link_->death));
  return nullptr;
}

void ChildActor::finish() {
  link_->kill = nullptr;
  link_->end_for_good = nullptr;
  link_->ready.set();
  link_->ended.set();
}

}  // namespace troupe
