// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

/// Greets `whom`, and says as which actor.
std::string greet(std::string whom);
