// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tool does, command by command. Called in the main task of a run.

#include "troupe/tools/troupe/arguments.h"

namespace troupe::tool {

/// Carries the command out and prints what came of it. Returns the exit code; see `help_text`.
int carry_out(const Arguments& arguments);

}  // namespace troupe::tool
