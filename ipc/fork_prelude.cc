// SPDX-License-Identifier: Apache-2.0
#include "troupe/ipc/fork_prelude.h"

#include <zmq.h>

#include "troupe/ipc/auth.h"

namespace troupe {

void start_libraries_before_forks() {
  start_sodium();
  // A context has no threads before its first socket. This one gets none, and is never ended: as
  // long as there is one, libzmq's libraries stay as they are.
  static_cast<void>(zmq_ctx_new());
}

}  // namespace troupe
