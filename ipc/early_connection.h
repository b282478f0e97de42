// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connection that is begun before there is a transport, or a loop: ZeroMQ's threads start, find
// the peer and greet it while the process sets itself up.

#include <memory>

#include "troupe/ipc/address.h"
#include "troupe/ipc/limits.h"

namespace troupe {

struct Dial;

/// The beginning of a connection, for `Transport::adopt`. Resource.
class EarlyConnection {
 public:
  /// Begins it; never waits. That it fails is found out by `Transport::connect`, if not already
  /// here, by `TransportClosed` or `Error`.
  explicit EarlyConnection(const Address& address, const TimeLimits& times = {});
  EarlyConnection(EarlyConnection&&) noexcept;
  EarlyConnection& operator=(EarlyConnection&&) noexcept;
  ~EarlyConnection();

  /// Gives away what was begun.
  std::unique_ptr<Dial> take() && noexcept;

 private:
  std::unique_ptr<Dial> dial_;
};

}  // namespace troupe
