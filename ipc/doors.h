// SPDX-License-Identifier: Apache-2.0
#pragma once

// Unix sockets at which an actor listens before it has a ROUTER. Most actors are talked to by their
// parent alone, over the connection that they have made themselves, and many end soon; so the
// ROUTER and its monitor, which cost a quarter of a millisecond of two threads' time, are made when
// somebody knocks, or when the actor has stood for a while and the next one shall not wait for
// them. Private to the package.

#include <vector>

#include "troupe/ipc/address.h"
#include "troupe/ipc/pump.h"
#include "troupe/runtime/base/unique_fd.h"
#include "troupe/runtime/fiber/deadlines.h"

namespace troupe {

/// How many connections may wait to be accepted.
inline constexpr int accept_backlog = 4096;

/// The sockets, until libzmq takes them over. Resource of one loop.
class Doors {
 public:
  /// One address, and the socket that listens there.
  struct Door {
    Address address;
    UniqueFd fd;
  };

  /// Has `owner` drained when there is something to answer.
  Doors(Pump& pump, Pollable& owner);
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;
  ~Doors();

  /// Listens at an `ipc` address. Returns the error, 0 for none; `EADDRINUSE` when a file is there,
  /// whatever it is. Never waits.
  int open(const Address& address);
  /// Listens there no more; false when it was not, or is taken over. Leaves the file.
  bool close(const Address& address) noexcept;

  /// A door that is to be answered; null when there is none. Never waits.
  const Door* due() const noexcept;
  /// Forgets a door whose descriptor somebody else has taken over, and closes from now on.
  void hand_over(const Door& door) noexcept;

 private:
  struct Patience : DeadlineEntry {
    Doors* doors = nullptr;
  };

  void wait_no_longer() noexcept;

  Pump& pump_;
  Pollable& owner_;
  Deadlines& deadlines_;
  std::vector<Door> doors_;
  bool all_due_ = false;
  Patience patience_{};
};

}  // namespace troupe
