// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/process_libraries.h"

#include <memory>
#include <zmq.hpp>

#include "troupe/ipc/auth.h"
#include "troupe/ipc/locality.h"
#include "troupe/ipc/zmq_socket.h"

namespace troupe {

void start_libraries_before_forks() {
  start_sodium();
  static_cast<void>(this_host());
  // A context has no threads before its first socket. This one gets none, and is never ended: as
  // long as there is one, libzmq's libraries stay as they are.
  static_cast<void>(zmq_ctx_new());
}

void leave_libraries_to_exit() {
  static const auto* const kept = new std::shared_ptr<zmq::context_t>(shared_context());
  static_cast<void>(kept);
}

}  // namespace troupe
