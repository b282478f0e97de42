// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/start_process.h"

#include <utility>

#include "troupe/runtime/base/log.h"
#include "troupe/spawn/exec_backend.h"
#include "troupe/spawn/forkserver.h"
#include "troupe/spawn/launcher_backend.h"

namespace troupe {
namespace {

// Once, however many actors there are.
void say_that_environment_wins(const StartMethod& method, const StartMethod& wanted) {
  static bool said = false;
  if (std::exchange(said, true)) return;
  log_message(LogLevel::warning, "actor",
              "TROUPE_START_METHOD in the environment wins: actors are started by `" +
                  method.to_string() + "`, also where their options say `" + wanted.to_string() +
                  "`");
}

StartMethod method_of(const StartMethodChoice& choice, const ActorOptions& options) {
  if (!options.start_method || *options.start_method == choice.method) return choice.method;
  if (!choice.forced) return *options.start_method;
  say_that_environment_wins(choice.method, *options.start_method);
  return choice.method;
}

Forkserver& forkserver_of(Actor& actor) {
  if (!actor.forkserver) actor.forkserver = std::make_unique<Forkserver>();
  return *actor.forkserver;
}

}  // namespace

std::unique_ptr<Child> start_process(Actor& parent, const ActorOptions& options, Bytes blob) {
  SpawnSpec spec;
  spec.name = options.name;
  spec.blob = std::move(blob);
  spec.env = options.env;
  spec.stdio = options.stdio;
  const StartMethod method = method_of(parent.config().start_method, options);
  if (const Launcher* const launcher = method.launcher()) return spawn_launched(*launcher, spec);
  if (method == StartMethod::forkserver) return forkserver_of(parent).spawn(spec);
  return spawn_exec(spec);
}

}  // namespace troupe
