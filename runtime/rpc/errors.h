// SPDX-License-Identifier: Apache-2.0
#pragma once

// The errors of dialogs that are no remote errors.

#include "troupe/runtime/base/error.h"

namespace troupe {

/// The receiver of a stream was too slow and its options say `Overrun::raise`. The message names
/// the sender and the task.
class StreamOverrun : public Error {
 public:
  using Error::Error;
};

}  // namespace troupe
