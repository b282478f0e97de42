// SPDX-License-Identifier: Apache-2.0
#pragma once

// What an actor and its zygote say to each other over the zygote's life-line: requests with
// descriptors one way, answers the other. Both ends are one binary, so the layout is the
// compiler's.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/base/unique_fd.h"

namespace troupe::detail {

/// "Make a child." Its argv and stdin are the zygote's own; its record comes over its life-line.
struct ZygoteRequest {
  std::uint32_t id = 0;                  ///< Told again in the answers.
  std::vector<std::string> environment;  ///< The child's environment, as "name=value".
  std::vector<UniqueFd> descriptors;     ///< Life-line, stdout, stderr, and if it can be had the
                                         ///< working directory. (Only where it is received.)
};

/// "It is there", or why not. Zygote and child both give it, so that the child is known even if the
/// zygote is killed in between. When the zygote gives it, it has nothing of the child's any more.
struct ZygoteAnswer {
  /// The `error` of a zygote that must not fork: its program has started threads.
  static constexpr std::int32_t has_threads = -1;

  std::uint32_t id = 0;          ///< Of the request.
  std::int32_t pid = 0;          ///< The child's; 0: there is none.
  std::int32_t error = 0;        ///< Then: an errno, or `has_threads`; 0: nobody has answered yet.
  std::uint32_t from_child = 0;  ///< Whether the child gives it.
};

/// Sends a request; returns false when the zygote does not take it. Checkpoint, when it is slow to
/// read. `descriptors` as in `ZygoteRequest`.
bool send_request(int control, const ZygoteRequest& request, std::span<const int> descriptors);

/// Waits for the zygote's answer to the request of `answer.id`, and drops those to earlier ones;
/// returns false when the other end is closed first. In `answer` stands what has been told so far,
/// also when that is by the child alone, or when this is cancelled. Checkpoint.
bool receive_answer(int control, ZygoteAnswer& answer);

/// Waits for a request; none when the other end is closed. Blocks the thread: a zygote has nothing
/// else to do.
std::optional<ZygoteRequest> receive_request(int control);

/// Sends an answer. Nothing happens if nobody is there to read it.
void send_answer(int control, const ZygoteAnswer& answer) noexcept;

}  // namespace troupe::detail
