// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/remote_directory.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <unordered_set>
#include <utility>

#include "troupe/discovery/registry_calls.h"
#include "troupe/ipc/connection.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/transport.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

using detail::RegistryRecord;

// For how long the start of an actor waits until its name can be looked up.
constexpr std::chrono::milliseconds patience_with_arbiters{1000};

DirectoryEntry wait_at(ArbiterLink& link, const std::string& name) {
  return link.portal().run<&detail::registry_wait>(name).entry();
}

// Whether an arbiter that cannot be reached may be back soon.
bool may_pass(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const TransportClosed& closed) {
    return closed.reason() != TransportClosed::Reason::refused &&
           closed.reason() != TransportClosed::Reason::violation;
  } catch (...) {
    return false;
  }
}

}  // namespace

RemoteDirectory::RemoteDirectory(Actor& actor, const std::vector<DirectoryEntry>& arbiters)
    : actor_(actor) {
  for (const DirectoryEntry& arbiter : arbiters) {
    links_.push_back(std::make_unique<ArbiterLink>(actor, arbiter, entries_));
  }
  if (links_.size() == 1) found_.emplace(actor, *links_.front());
}

// Runs `fn` for all arbiters at once. Returns null when it came through for one of them, else the
// first error.
std::exception_ptr RemoteDirectory::for_each_link(const std::function<void(ArbiterLink&)>& fn) {
  bool one_came_through = false;
  std::exception_ptr first;
  const auto attempt = [&](ArbiterLink& link) {
    try {
      fn(link);
      one_came_through = true;
    } catch (const std::exception&) {
      if (!first) first = std::current_exception();
    }
  };
  if (links_.size() == 1) {
    attempt(*links_.front());
  } else {
    open_task_nursery([&](TaskNursery& n) {
      for (const auto& link : links_) {
        n.start_soon("ask an arbiter", [&attempt, at = link.get()] { attempt(*at); });
      }
    });
  }
  return one_came_through ? nullptr : first;
}

void RemoteDirectory::announce(const DirectoryEntry& entry) {
  entries_[entry.uid.uuid] = entry;
  if (actor_.config().entered_by_parent) {
    for (const auto& link : links_) link->expect_registration();
    return;
  }
  const std::exception_ptr error = for_each_link([](ArbiterLink& link) { link.portal(); });
  if (error) {
    if (actor_.is_root() || !may_pass(error)) std::rethrow_exception(error);
    log_message(LogLevel::warning, "discovery",
                "actor '" + actor_.uid().name +
                    "' starts without being registered: no arbiter "
                    "answers");
  }
  for (const auto& link : links_) {
    if (!link->registered()) register_again(*link);
  }
}

void RemoteDirectory::register_again(ArbiterLink& link) {
  actor_.runtime().start_soon("registration", [&link] { link.register_with_patience(); });
}

bool RemoteDirectory::only_arbiters_are_connected() const {
  return std::ranges::all_of(actor_.transport().connections(), [this](const auto& connection) {
    const Uid& peer = connection->peer();
    return peer == actor_.config().parent || std::ranges::any_of(links_, [&](const auto& link) {
             return link->arbiter().uid == peer;
           });
  });
}

void RemoteDirectory::retract(const Uid& uid) {
  if (found_) found_->clear();
  // Nobody else can learn of our good-bye before those who take us out because of it.
  const bool told_by_bye = only_arbiters_are_connected();
  // An arbiter that has lost us has removed us already.
  for_each_link([&](ArbiterLink& link) {
    if (!link.registered() || told_by_bye) return link.leave();
    const Portal arbiter = link.portal();
    link.leave();
    arbiter.run<&detail::registry_retract>(uid.name, uid.uuid);
  });
}

// An arbiter that does not answer (it may be stopped, or its host may be gone) must not hold up the
// start of an actor: it is told when it answers again.
void RemoteDirectory::child_serves(const DirectoryEntry& entry) {
  entries_[entry.uid.uuid] = entry;
  const auto told = std::make_shared<Event>();
  actor_.runtime().start_soon("register a child", [this, entry, told] {
    for_each_link([&](ArbiterLink& link) {
      if (!link.announce(entry)) register_again(link);
    });
    told->set();
  });
  if (!move_on_after(patience_with_arbiters, [&] { told->wait(); })) {
    log_message(LogLevel::warning, "discovery",
                "actor '" + entry.uid.name +
                    "' serves, but is not registered yet: the arbiter has not answered so far");
  }
}

void RemoteDirectory::child_left(const Uid& uid) {
  if (entries_.erase(uid.uuid) == 0) return;
  for_each_link([&](ArbiterLink& link) { link.retract(uid); });
}

std::vector<DirectoryEntry> RemoteDirectory::find_all(const std::string& name) {
  std::vector<DirectoryEntry> found;
  std::unordered_set<std::string> known;
  const std::exception_ptr error = for_each_link([&](ArbiterLink& link) {
    for (const RegistryRecord& record : link.portal().run<&detail::registry_find>(name)) {
      if (known.insert(record.uuid).second) found.push_back(record.entry());
    }
  });
  if (error) std::rethrow_exception(error);
  return found;
}

// From whichever arbiter hears of it first. It fails when all have.
DirectoryEntry RemoteDirectory::wait_for(const std::string& name) {
  if (links_.size() == 1) return wait_at(*links_.front(), name);
  std::optional<DirectoryEntry> found;
  const std::exception_ptr error = [&] {
    CancelScope others;
    std::exception_ptr failed;
    others.run([&] {
      failed = for_each_link([&](ArbiterLink& link) {
        DirectoryEntry entry = wait_at(link, name);
        if (!found) found = std::move(entry);
        others.cancel("another arbiter knew the name first");
      });
    });
    return failed;
  }();
  if (found) return *std::move(found);
  std::rethrow_exception(error);
}

bool RemoteDirectory::report_stale(const DirectoryEntry& entry) {
  bool somewhere = false;
  const std::exception_ptr error = for_each_link([&](ArbiterLink& link) {
    if (!link.portal().run<&detail::registry_report_stale>(RegistryRecord(entry))) somewhere = true;
  });
  return !error && !somewhere;
}

void RemoteDirectory::peer_gone(const Uid& uid) noexcept {
  for (const auto& link : links_) {
    if (found_ && uid == link->arbiter().uid) found_->clear();
    if (!link->peer_gone(uid)) continue;
    try {
      register_again(*link);
    } catch (const std::exception&) {  // this actor has ended itself
    }
  }
}

void RemoteDirectory::child_died(const Uid& uid) noexcept {
  if (!entries_.contains(uid.uuid)) return;
  try {
    actor_.runtime().start_soon("retract a child", [this, uid] { child_left(uid); });
  } catch (const std::exception&) {  // this actor has ended itself
  }
}

DirectoryEntry RemoteDirectory::arbiter() {
  std::exception_ptr first;
  for (const auto& link : links_) {
    try {
      link->portal();
      return link->arbiter();
    } catch (const TransportClosed&) {
      if (!first) first = std::current_exception();
    }
  }
  std::rethrow_exception(first);
}

std::vector<DirectoryEntry> RemoteDirectory::arbiters() const {
  std::vector<DirectoryEntry> all;
  for (const auto& link : links_) all.push_back(link->arbiter());
  return all;
}

std::shared_ptr<Peer> RemoteDirectory::remembered(const std::string& name) {
  return found_ ? found_->find(name) : nullptr;
}

void RemoteDirectory::remember(const std::string& name, const std::shared_ptr<Peer>& peer) {
  if (found_ && links_.front()->registered()) found_->remember(name, peer);
}

}  // namespace troupe
