// SPDX-License-Identifier: Apache-2.0
#pragma once

// The receiving half of a dialog, as the layer above implements it.

#include <exception>

#include "troupe/ipc/frame.h"

namespace troupe {

/// Gets what the peer says in one dialog. Called on the loop, in the middle of reading a message:
/// it must not wait; it may send, open and close dialogs. A handler that is destroyed earlier
/// closes its dialog itself.
class DialogHandler {
 public:
  /// A frame has come. `payload` is borrowed from the message and ends with the call. An error that
  /// leaves it ends the connection.
  virtual void on_frame(FrameKind kind, BytesView payload) = 0;

  /// The same for a payload that came in pieces, and that the handler may keep.
  virtual void on_large_frame(FrameKind kind, Bytes payload) { on_frame(kind, payload); }

  /// The connection has ended and the dialog with it: nothing more comes, and its id is gone. `why`
  /// is a `TransportClosed`. Comes at most once, and never after the dialog was closed here.
  virtual void on_closed(std::exception_ptr why) = 0;

 protected:
  ~DialogHandler() = default;
};

}  // namespace troupe
