// SPDX-License-Identifier: Apache-2.0

// However a context ends, it ends on both sides: by an error there, by an error here, and by a
// cancellation of either side. Prints:
//
//   an error there: std::out_of_range, there are only three acts
//   an error here: std::logic_error; cancelled there: 1
//   cancelled by us: quietly; cancelled there: 2
//   cancelled by them: ContextCancelled by stage

#include <iostream>
#include <stdexcept>
#include <string>

#include "troupe/troupe.h"

struct Play {
  using Started = std::string;
};

int cancelled = 0;  // each process has its own

// Plays until it is cancelled, or does what it is told at once.
void perform(troupe::Context<Play>& ctx, const std::string& what) {
  ctx.started("the curtain rises");
  if (what == "fail") throw std::out_of_range("there are only three acts");
  if (what == "cancel") ctx.cancel();
  try {
    troupe::sleep_forever();
  } catch (const troupe::Cancelled&) {
    ++cancelled;
    throw;
  }
}

int count_cancelled() { return cancelled; }

inline const auto& theatre = troupe::module<"theatre", &perform, &count_cancelled>;

using Performance = troupe::CallerContext<Play, void>;

void watch(const troupe::Portal& stage) {
  try {
    stage.open_context<&perform>("fail", [](Performance& ctx, const auto&) { ctx.result(); });
  } catch (const troupe::RemoteActorError& error) {
    std::cout << "an error there: " << error.boxed_type() << ", " << error.boxed_message()
              << std::endl;
  }
  try {
    stage.open_context<&perform>("play",
                                 [](Performance&, const auto&) { throw std::logic_error("boo"); });
  } catch (const std::logic_error&) {
    std::cout << "an error here: std::logic_error; cancelled there: "
              << stage.run<&count_cancelled>() << std::endl;
  }
  stage.open_context<&perform>("play", [](Performance& ctx, const auto&) { ctx.cancel(); });
  std::cout << "cancelled by us: quietly; cancelled there: " << stage.run<&count_cancelled>()
            << std::endl;
  try {
    stage.open_context<&perform>("cancel", [](Performance& ctx, const auto&) { ctx.result(); });
  } catch (const troupe::ContextCancelled& error) {
    std::cout << "cancelled by them: ContextCancelled by " << error.canceller().name << std::endl;
  }
}

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal stage = n.start_actor("stage", {.enable_modules = {theatre}});
      watch(stage);
      stage.cancel_actor();
    });
  });
}
