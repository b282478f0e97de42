// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checkpoints by themselves. Every function of troupe that waits is one, too.

namespace troupe {

/// Raises a pending cancellation of the current scope, and lets every ready task run. Checkpoint.
void checkpoint();

/// Raises a pending cancellation, without letting others run. Never waits.
void checkpoint_if_cancelled();

/// Lets every ready task run, whatever is cancelled.
void cancel_shielded_checkpoint() noexcept;

}  // namespace troupe
