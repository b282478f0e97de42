// SPDX-License-Identifier: Apache-2.0
#pragma once

// What those who watch names are told.

#include <cstdint>

#include "troupe/runtime/actor/directory.h"

namespace troupe {

/// An actor has come or gone. A value.
struct ActorEvent {
  /// What has happened.
  enum class Kind : std::uint8_t {
    joined,  ///< It has come, or listens elsewhere now.
    left     ///< It has gone.
  };

  Kind kind = Kind::joined;  ///< `joined` also says that its addresses are others now.
  DirectoryEntry entry{};    ///< Of the actor.

  /// Whether it has come, or listens elsewhere now.
  bool joined() const noexcept { return kind == Kind::joined; }
  /// Whether it has gone.
  bool left() const noexcept { return kind == Kind::left; }
  /// Who it is.
  const Uid& uid() const noexcept { return entry.uid; }

  friend bool operator==(const ActorEvent&, const ActorEvent&) = default;
};

}  // namespace troupe
