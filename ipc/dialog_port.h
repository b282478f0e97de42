// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the frames of a dialog go. The dialogs of the layer above are written against this alone:
// in a program it is a `Connection`, in their tests a pure `Session`.

#include <cstddef>
#include <cstdint>

#include "troupe/ipc/dialog_handler.h"
#include "troupe/ipc/frame.h"
#include "troupe/ipc/uid.h"

namespace troupe {

/// One end of a connection, as dialogs see it.
class DialogPort {
 public:
  /// Opens a dialog; its `start` is the caller's to send. Never waits. Throws `TransportClosed`
  /// when the connection is not open, `UsageError` when the peer takes no more dialogs. Lifetime:
  /// `handler` must outlive the dialog.
  virtual std::uint64_t open_dialog(DialogHandler& handler) = 0;
  /// Forgets a dialog, of either opener; what still comes for it is dropped. Unknown ids are
  /// ignored.
  virtual void close_dialog(std::uint64_t dialog) noexcept = 0;
  /// Queues a frame; it leaves when no task is ready, or at once when much is queued. Never waits.
  /// Without effect on a closed connection. Throws `UsageError` when the payload is larger than the
  /// peer takes.
  virtual void send(FrameKind kind, std::uint64_t dialog, Bytes payload) = 0;
  /// The same for a payload that is copied, which suits small ones.
  virtual void send_copy(FrameKind kind, std::uint64_t dialog, BytesView payload) = 0;
  /// Queues a value of a stream, of at most `max_small_payload` octets, as `send_copy` would: small
  /// ones share a frame with those before them.
  virtual void send_value(std::uint64_t dialog, BytesView octets) = 0;
  /// Octets that are queued here and not yet handed to the network.
  virtual std::size_t queued() const noexcept = 0;
  /// Waits until not much is queued any more, or the connection has ended. Checkpoint.
  virtual void wait_for_room() = 0;
  /// Who the peer is.
  virtual const Uid& peer() const noexcept = 0;
  /// Who we are to the peer.
  virtual const Uid& self() const noexcept = 0;

 protected:
  ~DialogPort() = default;
};

}  // namespace troupe
