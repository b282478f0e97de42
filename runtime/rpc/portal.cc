// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/portal.h"

#include "troupe/runtime/rpc/peer.h"

namespace troupe {

const Uid& Portal::uid() const noexcept { return peer_->uid(); }

const Address& Portal::address() const noexcept { return peer_->address(); }

bool Portal::connected() const noexcept { return peer_->connected(); }

bool Portal::cancel_actor(std::chrono::nanoseconds timeout) const {
  return peer_->cancel_actor(timeout);
}

}  // namespace troupe
