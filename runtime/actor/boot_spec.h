// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a child actor is told by its parent before anything else: who it is, whom to call, and the
// tree's key. Travels through an inherited descriptor, never through arguments or the environment.

#include <chrono>
#include <string>
#include <vector>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/directory.h"
#include "troupe/runtime/actor/start_method_choice.h"
#include "troupe/runtime/actor/statespace.h"
#include "troupe/runtime/actor/task_settings.h"
#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/log_choice.h"
#include "troupe/runtime/rpc/function.h"

namespace troupe {

/// Another actor, as a child is told of it.
struct ActorSpec {
  Uid uid;                             ///< Who it is.
  std::vector<std::string> addresses;  ///< Where it listens.
  std::string host;                    ///< On which host.

  ActorSpec() = default;
  explicit ActorSpec(const DirectoryEntry& entry);
  /// The same as an entry of a directory. Throws `UsageError` when an address is none.
  DirectoryEntry entry() const;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid.name, uid.uuid, addresses, host);
  }
};

/// A child's first knowledge. A value that crosses processes.
struct BootSpec {
  Uid uid;                                  ///< Who it is.
  ActorSpec parent;                         ///< Who started it.
  ActorSpec root;                           ///< The root of the tree.
  std::vector<ActorSpec> arbiters;          ///< Who keep the names.
  std::string run_directory;                ///< Where the tree's sockets lie.
  std::vector<std::string> bind_addresses;  ///< Where it is to listen.
  std::string public_host;                  ///< Where its children listen for other hosts, too.
  Bytes key;                                ///< The tree's secret.
  bool in_cluster = false;                  ///< Whether other trees have that key, too.
  std::string token_file;                   ///< Where the key of a cluster is.
  bool insecure_tcp = false;                ///< Whether tcp beyond this host may be used.
  bool dump_on_sigusr1 = false;             ///< Whether SIGUSR1 prints its tree of actors.
  bool debug_mode = false;                  ///< Whether it stops in gdb.
  bool debug_children = false;              ///< Whether its children do, by default.
  std::vector<std::string> modules;         ///< Names of the modules it exposes.
  std::vector<FunctionName> functions;      ///< Further functions it exposes.
  std::chrono::nanoseconds cancel_grace{};  ///< The program's default.
  std::chrono::milliseconds liveness{};     ///< How long another host may be silent.
  LogInheritance log;                       ///< What it logs.
  std::vector<StateEntry> statespace;       ///< What its table begins with.
  StartMethodChoice start_method;           ///< How it makes children of its own.
  TaskSettings tasks;                       ///< How its tasks run.

  /// As octets.
  Bytes encode() const;
  /// Reads what `encode` wrote. Throws `DecodeError`.
  static BootSpec decode(BytesView octets);

  template <class Archive>
  void serialize(Archive& archive) {
    archive(uid.name, uid.uuid, parent, root, arbiters, run_directory, bind_addresses, public_host,
            key, in_cluster, token_file, insecure_tcp, dump_on_sigusr1, debug_mode, debug_children,
            modules, functions, cancel_grace, liveness, log.levels, log.fixed, statespace,
            start_method, tasks);
  }
};

}  // namespace troupe
