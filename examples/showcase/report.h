// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shows a scoreboard: as a live table on a terminal, in plain lines elsewhere.

#include "troupe/examples/showcase/scoreboard.h"

namespace showcase {

/// Redraws a table ten times a second, for as long as its task lives, and once more at its end. The
/// cursor is hidden meanwhile, and there again afterwards, however that comes. Never returns.
[[noreturn]] void show_table(const Scoreboard& board, int ticks);

/// Prints a line at each quarter of the way, and at a kill and what comes of it, in an order that
/// is the same in each run. Returns when all is done.
void print_lines(Scoreboard& board, int ticks);

}  // namespace showcase
