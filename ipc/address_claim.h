// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who of several programs gets an `ipc` address. The kernel decides that for `tcp`, but libzmq
// removes a socket file that is in its way, so that two who bind at once would both believe that
// they listen. So whoever means to listen at an address that others know too locks a file beside
// the socket first.

#include <optional>
#include <string>
#include <utility>

#include "troupe/ipc/address.h"
#include "troupe/runtime/base/unique_fd.h"

namespace troupe {

/// The right to listen at an `ipc` address; given back, and its file removed, with this object. A
/// process that is killed gives it back, too, and leaves the file.
class AddressClaim {
 public:
  /// Takes it; none when another process has it. Makes the folder of the socket, private to the
  /// user, when it is not there. Never waits. Throws `TransportClosed` when the file cannot be had.
  static std::optional<AddressClaim> try_take(const Address& address);

  AddressClaim(AddressClaim&&) noexcept = default;
  AddressClaim& operator=(AddressClaim&&) = delete;
  ~AddressClaim();

 private:
  AddressClaim(UniqueFd lock, std::string path) : lock_(std::move(lock)), path_(std::move(path)) {}

  UniqueFd lock_;
  std::string path_;
};

/// Removes the socket file at `address` if nobody listens there and nobody is about to. Never
/// waits, never throws.
void remove_abandoned_socket(const Address& address) noexcept;

}  // namespace troupe
