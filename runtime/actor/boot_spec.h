// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a child actor is told by its parent before anything else: who it is, whom to call, and the
// tree's key. Travels through an inherited descriptor, never through arguments or the environment.

#include <chrono>
#include <string>
#include <vector>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/start_method_choice.h"
#include "troupe/runtime/actor/statespace.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/log_choice.h"

namespace troupe {

/// A child's first knowledge. A value that crosses processes.
struct BootSpec {
  Uid uid;                                  ///< Who it is.
  Uid parent;                               ///< Who started it.
  std::string parent_address;               ///< Where the parent listens.
  Uid arbiter;                              ///< Who keeps the names.
  std::string arbiter_address;              ///< Where that one listens.
  std::string run_directory;                ///< Where the tree's sockets lie.
  std::vector<std::string> bind_addresses;  ///< Where it is to listen.
  Bytes key;                                ///< The tree's secret.
  std::vector<std::string> modules;         ///< Names of the modules it exposes.
  std::vector<std::string> functions;       ///< Keys of further functions it exposes.
  std::chrono::nanoseconds cancel_grace{};  ///< The program's default.
  LogInheritance log;                       ///< What it logs.
  std::vector<StateEntry> statespace;       ///< What its table begins with.
  StartMethodChoice start_method;           ///< How it makes children of its own.

  /// As octets.
  Bytes encode() const;
  /// Reads what `encode` wrote. Throws `DecodeError`.
  static BootSpec decode(BytesView octets);

  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid.name, uid.uuid, parent.name, parent.uuid, parent_address, arbiter.name,
            arbiter.uuid, arbiter_address, run_directory, bind_addresses, key, modules, functions,
            cancel_grace, log.levels, log.fixed, statespace, start_method);
  }
};

}  // namespace troupe
