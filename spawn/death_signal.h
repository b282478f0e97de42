// SPDX-License-Identifier: Apache-2.0
#pragma once

// The kernel's watch on the parent's life, for the time until a `LifeLine` stands. Not by SIGKILL:
// a child that comes so far may be the only one left to remove what its parent has left behind.

namespace troupe::detail {

/// From now on the kernel ends this process half a second after its parent's death, whatever it
/// does by then. The parent is the thread that has started it. Threads: only on the main thread,
/// while there is no other.
void arm_death_signal() noexcept;

/// The same as if the parent had died now, while the signal is armed.
void raise_death_signal() noexcept;

/// Takes that back, and any other parent-death signal: a launcher's command may have become this
/// process, and armed one. The action of the signal is what it was.
void disarm_death_signal() noexcept;

}  // namespace troupe::detail
