// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/child_actor.h"

#include <unistd.h>

#include <csignal>
#include <utility>

#include "troupe/ipc/address_claim.h"
#include "troupe/ipc/connection.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/actor/runtime_functions.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/spawn/lifeline.h"
#include "troupe/spawn/terminate.h"

namespace troupe {
namespace {

// A child that neither serves nor ends within this time is taken for stuck in its start.
constexpr auto boot_limit = std::chrono::seconds(30);
// How long the last words of a dead child may take to be read; its connection closes with it.
constexpr auto last_words_limit = std::chrono::milliseconds(100);

}  // namespace

ChildActor::ChildActor(Actor& parent, ActorOptions options, std::vector<std::string> functions)
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
  for (const Module& module : options_.enable_modules) {
    if (!module.name().empty()) {
      spec.modules.emplace_back(module.name());
    } else {
      for (std::string& key : module.keys()) spec.functions.push_back(std::move(key));
    }
  }
  spec.functions.insert(spec.functions.end(), functions_.begin(), functions_.end());
  spec.cancel_grace = options_.shutdown.value_or(config.cancel_grace);
  return spec;
}

void ChildActor::spawn() {
  if (const std::string fault = name_fault(options_.name); !fault.empty()) {
    throw UsageError("an actor cannot have the name '" + options_.name.substr(0, 64) +
                     "': " + fault);
  }
  SpawnSpec spec;
  spec.name = options_.name;
  spec.blob = boot_spec().encode();
  spec.env = options_.env;
  process_ = spawn_exec(spec);
  link_->pid = process_->pid();
  link_->kill = [this] { process_->send_signal(SIGKILL); };
  if (parent_.lifeline != nullptr) {
    parent_.lifeline->add_child(process_->lifeline_fd());
    for (const Address& address : bind_) {
      if (parent_.owns(address)) parent_.lifeline->add_path(address.path());
    }
  }
  wait_until_ready();
  learn_address();
}

// A port of the system's choice is known once the child has told.
void ChildActor::learn_address() {
  if (link_->address.empty()) link_->address = parent_.peer(link_->uid, Address())->address();
}

void ChildActor::wait_until_ready() {
  bool in_time = false;
  open_task_nursery([&](TaskNursery& n) {
    n.start_soon("boot watch of " + options_.name, [&] {
      process_->wait();
      n.cancel();
    });
    in_time = bool(move_on_after(boot_limit, [&] { link_->ready.wait(); }));
    n.cancel();
  });
  if (link_->boot_error) {
    terminate(*process_, std::chrono::seconds(1));  // it ends by itself, having told us why
    throw_boot_failure(*link_->boot_error);
  }
  if (link_->ready.is_set()) return;
  if (!process_->status() && in_time) checkpoint_if_cancelled();
  if (!process_->status()) {
    throw_boot_failure("it did not come up within " + std::to_string(boot_limit.count()) + " s");
  }
  if (process_->status()->ok()) {
    throw_boot_failure(
        "its main() returned (exit code 0) without reaching troupe::run or troupe::init; call one "
        "of "
        "them on every path through main()");
  }
  throw_boot_failure("its process ended during its start with " + process_->status()->to_string() +
                     "; its stderr says more");
}

void ChildActor::throw_boot_failure(const std::string& why) const {
  throw SpawnFailed("actor '" + options_.name + "' (pid " + std::to_string(link_->pid) +
                    ") could not be started: " + why);
}

bool ChildActor::wait() {
  open_task_nursery([&](TaskNursery& n) {
    n.start_soon("end of " + options_.name, [&] {
      process_->wait();
      n.cancel();
    });
    link_->leave.wait();
    n.cancel();
  });
  return process_->status().has_value();
}

void ChildActor::end() {
  const std::chrono::nanoseconds grace = options_.shutdown.value_or(parent_.config().cancel_grace);
  ended_by_us_ = true;
  CancelScope shield({.shield = true});
  shield.run([&] {
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("ask " + options_.name + " to end", [&] {
        try {
          // A nested nursery gets less, so that nobody is killed who still ends its own children.
          if (link_->ready.is_set()) portal().run<&detail::cancel_actor>(grace * 8 / 10);
        } catch (const Error&) {  // gone already, or it will be killed
        }
      });
      const ExitStatus status = terminate(*process_, link_->ready.is_set() ? grace : grace * 0);
      if (status.signal != 0 && link_->ready.is_set()) {
        log_message(LogLevel::warning, "actor",
                    "actor '" + options_.name + "' (pid " + std::to_string(link_->pid) +
                        ") did not end within its grace time and was killed");
      }
      n.cancel();
    });
  });
}

void ChildActor::pass_verdict() {
  const ExitStatus status = *process_->status();
  CancelScope shield({.shield = true});
  shield.run([&] { move_on_after(last_words_limit, [&] { link_->disconnected.wait(); }); });
  if (!ended_by_us_ && !(link_->took_leave && status.ok())) {
    link_->death = std::make_exception_ptr(ActorDied(link_->uid, link_->pid, status));
  }
  finish();
  if (link_->death) std::rethrow_exception(link_->death);
}

void ChildActor::finish() {
  link_->kill = nullptr;
  link_->ready.set();
  link_->ended.set();
}

}  // namespace troupe
