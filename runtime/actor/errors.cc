// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/errors.h"

#include <cstdint>
#include <utility>

#include "troupe/runtime/rpc/codec.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/spawn/errors.h"

namespace troupe {
namespace {

Bytes pack_died(const std::exception& error) {
  const auto& died = dynamic_cast<const ActorDied&>(error);
  return encode(died.uid(), std::int32_t{died.pid()}, std::int32_t{died.exit_code()},
                std::int32_t{died.signal()}, died.stderr_tail());
}

void raise_died(const std::string&, BytesView payload, bool with_cause) {
  const auto [uid, pid, code, signal, tail] =
      decode<Uid, std::int32_t, std::int32_t, std::int32_t, std::string>(payload);
  detail::raise_as(ActorDied(uid, pid, {code, signal}, tail), with_cause);
}

// Both come back as themselves from actors whose children they are about.
[[maybe_unused]] const bool registered =
    register_error<SpawnFailed>() &&
    detail::add_error_type(
        {&typeid(ActorDied), &pack_died, &raise_died, &detail::is_error<ActorDied>, /*depth=*/4});

std::string describe(const Uid& uid, pid_t pid, const ExitStatus& status, const std::string& tail) {
  return "actor '" + uid.name + "' (pid " + std::to_string(pid) + ") died: " + status.to_string() +
         ", without taking its leave; look at its stderr, or supervise it with a restart" +
         detail::stderr_part(tail);
}

}  // namespace

ActorDied::ActorDied(Uid uid, pid_t pid, ExitStatus status, std::string stderr_tail)
    : Error(describe(uid, pid, status, stderr_tail)),
      uid_(std::move(uid)),
      pid_(pid),
      status_(status),
      stderr_tail_(std::move(stderr_tail)) {
  set_origin(detail::origin_of_end(uid_.uuid));
}

}  // namespace troupe
