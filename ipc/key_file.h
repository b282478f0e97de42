// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where programs that were not started by each other get their common key from: a file that only
// their user can read. All programs of one user on one host share one, which is made when it is
// first needed; for several hosts the file is copied, or another one named.

#include <string>

#include "troupe/ipc/auth.h"

namespace troupe {

/// Reads a key from a file: any 16 to 4096 octets; ends of line at its end do not count. Blocks for
/// a moment. Throws `UsageError` unless it is a regular file of this user that nobody else can read
/// or write (mode 0600), and no symbolic link.
Key read_key_file(const std::string& path);

/// The key that all programs of this user on this host share, from the file "key" in `directory`,
/// which is the user's alone. The first who asks makes the file; of two that ask at once both get
/// the same key. Throws as `read_key_file`, and `Error` when the file cannot be made (a full disk,
/// say).
Key user_key(const std::string& directory);

/// Draws a key and leaves it in the file "key" in `directory`, which is this user's alone, for
/// other programs of the user to read as long as the directory lasts. Throws `Error` when the file
/// cannot be made.
Key leave_fresh_key(const std::string& directory);

}  // namespace troupe
