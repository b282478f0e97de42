// SPDX-License-Identifier: Apache-2.0
#pragma once

// The directory of one actor: in the arbiter the registry itself, elsewhere calls to the arbiter.
// The arbiter lets its peers call the functions of the module "troupe.registry".

#include <memory>

#include "troupe/runtime/actor/directory.h"

namespace troupe {

class Actor;

/// The directory of `actor`: its own registry if it is the arbiter, else the arbiter's.
std::unique_ptr<Directory> make_directory(Actor& actor);

}  // namespace troupe
