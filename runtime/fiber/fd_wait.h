// SPDX-License-Identifier: Apache-2.0
#pragma once

// Waiting for descriptors that the program reads and writes itself.

namespace troupe {

/// Waits until `fd` can be read (or is at its end, or broken). Checkpoint. Throws `UsageError` when
/// another task waits to read it, or when it is a regular file. Lifetime: call `notify_closing`
/// before closing a descriptor that a task may wait for.
void wait_readable(int fd);

/// Waits until `fd` can be written. Checkpoint. Throws as `wait_readable` does.
void wait_writable(int fd);

/// Ends the waits for `fd`, with an error in their tasks: it is about to be closed. Never waits.
void notify_closing(int fd);

}  // namespace troupe
