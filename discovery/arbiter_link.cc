// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/arbiter_link.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "troupe/discovery/registry_calls.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

using Reason = TransportClosed::Reason;

constexpr std::chrono::milliseconds first_pause{50};
constexpr std::chrono::milliseconds longest_pause{2000};
// By then orphans of a root that was its tree's arbiter have ended, and need not complain.
constexpr std::chrono::milliseconds worth_a_warning{1000};

void announce_at(const Portal& arbiter, const DirectoryEntry& entry) {
  arbiter.run<&detail::registry_announce>(detail::RegistryRecord(entry));
}

void retract_at(const Portal& arbiter, const Uid& uid) {
  arbiter.run<&detail::registry_retract>(uid.name, uid.uuid);
}

}  // namespace

ArbiterLink::ArbiterLink(Actor& actor, DirectoryEntry arbiter, const Entries& entries)
    : actor_(actor), arbiter_(std::move(arbiter)), entries_(entries) {}

std::string ArbiterLink::text() const {
  return "the arbiter at " + arbiter_.addresses.front().str();
}

bool ArbiterLink::is_known() const noexcept {
  return registered_ || (entered_by_parent_ && actor_.connected_to(arbiter_.uid));
}

Portal ArbiterLink::portal() {
  if (is_known()) return actor_.portal(arbiter_.uid, arbiter_.addresses.front());
  const std::scoped_lock lock(connecting_);
  if (is_known()) return actor_.portal(arbiter_.uid, arbiter_.addresses.front());
  Portal portal = connect();
  arbiter_.uid = portal.uid();
  if (!entered_by_parent_) register_at(portal);
  return portal;
}

bool ArbiterLink::announce(const DirectoryEntry& entry) {
  try {
    const Portal arbiter = portal();
    announce_at(arbiter, entry);
    if (!entries_.contains(entry.uid.uuid)) retract_at(arbiter, entry.uid);
    return true;
  } catch (const TransportClosed& closed) {
    registered_ = entered_by_parent_ = false;
    log_message(LogLevel::warning, "discovery",
                "actor '" + entry.uid.name + "' is not registered yet: " + closed.what());
    return false;
  }
}

void ArbiterLink::retract(const Uid& uid) {
  if (is_known()) retract_at(portal(), uid);
}

Portal ArbiterLink::connect() {
  if (leaving_) {
    throw TransportClosed(Reason::left, "this actor ends and has left " + text());
  }
  std::vector<Address> addresses = nearest_first(arbiter_.addresses, arbiter_.host);
  if (addresses.empty()) addresses = arbiter_.addresses;  // whose errors say more
  try {
    return actor_.portal_at(addresses);
  } catch (const TransportClosed& closed) {
    throw TransportClosed(closed.reason(),
                          text() +
                              " cannot be reached, so no name can be looked up until it is "
                              "back: " +
                              closed.what());
  }
}

void ArbiterLink::register_at(const Portal& portal) {
  const int losses = losses_;
  try {
    announce_all(portal);
  } catch (const ModuleNotExposed&) {
    throw TransportClosed(Reason::refused, "at " + arbiter_.addresses.front().str() + " listens " +
                                               portal.uid().to_string() +
                                               ", which is no arbiter; give an arbiter's address");
  }
  if (losses != losses_) {
    throw TransportClosed(Reason::lost, "the connection to " + text() + " was lost again");
  }
  registered_ = true;
}

// Children come and go meanwhile. Those that come are announced by themselves; those that go are
// taken back here, as this link is not registered before the end, and `retract` does nothing.
void ArbiterLink::announce_all(const Portal& portal) {
  Entries announced;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const DirectoryEntry entry = at->second;
    announce_at(portal, entry);
    announced.emplace(entry.uid.uuid, entry);
    at = entries_.upper_bound(entry.uid.uuid);
  }
  const auto gone = [this](const auto& known) { return !entries_.contains(known.first); };
  for (auto at = announced.begin();
       (at = std::find_if(announced.begin(), announced.end(), gone)) != announced.end();) {
    retract_at(portal, at->second.uid);
    announced.erase(at);
  }
}

void ArbiterLink::register_with_patience() {
  if (registering_) return;
  registering_ = true;
  struct End {
    bool& registering;
    ~End() { registering = false; }
  } const end{registering_};
  const TimePoint since = current_time();
  bool warned = false;
  // Not all who have lost the same arbiter come back at the same moment.
  const auto spread = std::chrono::milliseconds(std::hash<Uid>{}(actor_.uid()) % 50);
  for (auto pause = first_pause; !leaving_ && !registered_;
       pause = std::min(2 * pause, longest_pause)) {
    try {
      portal();
      return;
    } catch (const std::exception& error) {
      if (!warned && current_time() - since > worth_a_warning) {
        warned = true;
        log_message(LogLevel::warning, "discovery",
                    "actor '" + actor_.uid().name + "' is not registered: " + error.what());
      }
    }
    sleep(pause + spread);
  }
}

void ArbiterLink::leave() noexcept {
  leaving_ = true;
  registered_ = entered_by_parent_ = false;
}

bool ArbiterLink::peer_gone(const Uid& uid) noexcept {
  if (uid != arbiter_.uid) return false;
  ++losses_;
  const bool was_registered = registered();
  registered_ = entered_by_parent_ = false;
  return was_registered;
}

}  // namespace troupe
