// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/child_actor.h"

#include <unistd.h>

#include <csignal>
#include <utility>

#include "troupe/ipc/connection.h"
#include "troupe/ipc/errors.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/actor/runtime_functions.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/log_choice.h"
#include "troupe/runtime/base/log_line.h"
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
  link_->address = parent_.child_address(link_->uid.uuid);
  parent_.add_child(link_);
}

ChildActor::~ChildActor() {
  finish();
  if (parent_.lifeline != nullptr) {
    if (process_) parent_.lifeline->remove_child(process_->lifeline_fd());
    parent_.lifeline->remove_path(link_->address.path());
  }
  process_.reset();
  parent_.remove_child(*link_);
  ::unlink(link_->address.path().c_str());  // a killed child leaves its socket behind
}

BootSpec ChildActor::boot_spec() const {
  const DirectoryEntry arbiter = parent_.directory().arbiter();
  BootSpec spec;
  spec.uid = link_->uid;
  spec.parent = parent_.uid();
  spec.parent_address = parent_.address().str();
  spec.arbiter = arbiter.uid;
  spec.arbiter_address = arbiter.addresses.front().str();
  spec.run_directory = parent_.config().run_directory;
  spec.bind_addresses = {link_->address.str()};
  spec.key = Bytes(parent_.config().key->bytes());
  for (const Module& module : options_.enable_modules) {
    if (!module.name().empty()) {
      spec.modules.emplace_back(module.name());
    } else {
      for (std::string& key : module.keys()) spec.functions.push_back(std::move(key));
    }
  }
  spec.functions.insert(spec.functions.end(), functions_.begin(), functions_.end());
  spec.cancel_grace = options_.shutdown.value_or(parent_.config().cancel_grace);
  spec.log = log_levels_for_child(options_.loglevel);
  spec.statespace = options_.statespace.entries();
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
    parent_.lifeline->add_path(link_->address.path());
  }
  wait_until_ready();
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
  log_line(LogLevel::cancel, "actor", "asks '", options_.name, "' (pid ", link_->pid, ") to end");
  CancelScope shield({.shield = true});
  shield.run([&] {
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon("ask " + options_.name + " to end", [&] {
        try {
          // A nested nursery gets less, so that nobody is killed who still ends its own children.
          if (link_->ready.is_set())
            portal().run<&detail::cancel_actor>(grace * 8 / 10, parent_.uid());
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
    log_line(LogLevel::runtime, "actor", exception_message(link_->death));
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
