// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/registrar.h"

#include "troupe/discovery/join.h"
#include "troupe/discovery/local_directory.h"
#include "troupe/discovery/remote_directory.h"
#include "troupe/runtime/actor/actor.h"

namespace troupe {

std::unique_ptr<Directory> make_directory(Actor& actor) {
  const ActorConfig& config = actor.config();
  if (!config.arbiters.empty()) return std::make_unique<RemoteDirectory>(actor, config.arbiters);
  if (!config.registry.empty()) return join_cluster(actor);
  return std::make_unique<LocalDirectory>(actor);
}

}  // namespace troupe
