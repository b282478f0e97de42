// SPDX-License-Identifier: Apache-2.0
#pragma once

// This very program as something to start again: its image and its argv. Both are what they were
// at the start, also after the file was replaced by an upgrade or deleted.

#include <string>
#include <vector>

namespace troupe {

/// The argv with which this process was started, read on the first call: call it before anything
/// that writes into argv's strings.
const std::vector<std::string>& original_argv();

namespace detail {

/// A path by which a child that is just being spawned executes this process' image. Opens the
/// image on the first call. Throws `SpawnFailed` where /proc is not mounted.
std::string self_image_path();

/// The name of this program's file, for commands that start it again. Throws `SpawnFailed` when the
/// file is not there any more, and where /proc is not mounted.
std::string self_file_name();

}  // namespace detail
}  // namespace troupe
