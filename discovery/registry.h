// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table of names: plain data, the tasks that wait for a name, and those who watch who comes and
// goes. The arbiter has one. Nothing in it takes longer because there are many actors.

#include <list>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "troupe/discovery/actor_event.h"
#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/parking_lot.h"

namespace troupe {

/// Who has which name. Several actors may share one; the last that came is found first.
class Registry {
 public:
  /// How many events a watcher may fall behind.
  static constexpr std::size_t watch_limit = 4096;

  /// Enters an actor, or renews its addresses, and wakes those who wait for its name. An address
  /// that another actor had told before is that one's no longer; without any it is out.
  void add(const DirectoryEntry& entry);
  /// Takes an actor out; false when it is not in.
  bool remove(const Uid& uid);
  /// The actor with that uuid.
  std::optional<DirectoryEntry> find_uuid(const std::string& uuid) const;
  /// Every actor, in no order.
  std::vector<DirectoryEntry> all() const;
  /// Every actor of that name, the last first.
  std::vector<DirectoryEntry> find_all(const std::string& name) const;
  /// The actor of that name that came last.
  std::optional<DirectoryEntry> find_newest(const std::string& name) const;
  /// Who is in and says that the actor of this uuid is its parent, which need not be in.
  std::vector<Uid> children_of(const std::string& uuid) const;
  /// Waits until somebody has that name; waiters are woken in the order in which they came.
  /// Checkpoint.
  DirectoryEntry wait_for(const std::string& name);
  /// Waits until somebody else than `known` is the last that came of that name; nobody is somebody,
  /// too. Of changes in quick succession only the outcome is told. Checkpoint.
  std::optional<DirectoryEntry> wait_for_another(const std::string& name,
                                                 const std::optional<DirectoryEntry>& known);
  /// Tells of the actors whose names begin with `prefix`: first those that are in, as `joined`, and
  /// then who joins and leaves. Ends when the receiver is closed; a receiver that falls further
  /// behind than `watch_limit` gets no more: its channel ends, and it may watch anew.
  MemoryReceiveChannel<ActorEvent> watch(std::string prefix);
  /// How many actors are in.
  std::size_t size() const noexcept { return uuids_.size(); }
  /// How many names are waited for.
  std::size_t names_waited_for() const noexcept { return waiters_.size(); }
  /// How many names are followed.
  std::size_t names_followed() const noexcept { return followers_.size(); }
  /// How many watchers are remembered; some may have gone.
  std::size_t watchers() const noexcept { return watches_.size(); }

 private:
  using Entries = std::list<DirectoryEntry>;
  using Lots = std::unordered_map<std::string, ParkingLot>;

  struct Waiter;
  struct Watch {
    std::string prefix;
    MemorySendChannel<ActorEvent> events;
  };

  void claim_addresses(const DirectoryEntry& entry);
  void lose_address(const std::string& uuid, const Address& address);
  void take_out(Entries::iterator entry);
  static void park(Lots& lots, const std::string& name, Parked& waiter, const char* what);
  void wake_waiters(const DirectoryEntry& entry);
  void wake_followers(const std::string& name) noexcept;
  void forget_idle_watches();
  void tell(ActorEvent::Kind kind, const DirectoryEntry& entry);

  std::unordered_map<std::string, Entries> names_;            // the last that came first
  std::unordered_map<std::string, Entries::iterator> uuids_;  // the same entries
  std::unordered_map<std::string, std::set<Uid>> children_;   // theirs, by the parent's uuid
  std::unordered_map<std::string, std::string> owners_;       // uuids by address
  Lots waiters_;                                              // by name
  Lots followers_;                                            // by name
  std::list<Watch> watches_;
  std::size_t enough_watches_ = 16;  // with more, those that have gone are looked for
};

}  // namespace troupe
