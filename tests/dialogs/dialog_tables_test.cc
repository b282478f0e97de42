// SPDX-License-Identifier: Apache-2.0

// Nothing is left of dialogs that have ended, however they did: ten thousand of them leave all
// tables as they were.

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "troupe/ipc/connection.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::with_actor;

struct Numbers {
  using Started = int;
  using ToCallee = int;
  using ToCaller = int;
};
using Stream = troupe::Stream<int, int>;

int twice(int number) { return 2 * number; }
int fails(int number) { throw std::out_of_range(std::to_string(number)); }
void counts_for_ever(troupe::Sink<int> out) {
  for (int i = 0;; ++i) out.send(i);
}
int echoes(troupe::Context<Numbers>& ctx, int first) {
  ctx.started(first);
  int count = 0;
  ctx.open_stream([&](Stream& stream) {
    for (int value : stream) {
      stream.send(value);
      ++count;
    }
  });
  return count;
}
void cancels(troupe::Context<Numbers>& ctx) {
  ctx.started(0);
  ctx.cancel();
  troupe::sleep_forever();
}

// What the tables of this process hold.
std::size_t open_dialogs() {
  std::size_t count = 0;
  for (const auto& connection : troupe::Actor::booted().transport().connections()) {
    const troupe::ConnectionStatistics statistics = connection->statistics();
    count += statistics.open_dialogs + statistics.partial_payloads;
  }
  return count;
}
std::size_t served_calls() { return troupe::Actor::booted().dispatcher().calls(); }

inline const auto& dialogs_of_all_kinds =
    troupe::module<"dialogs", &twice, &fails, &counts_for_ever, &echoes, &cancels, &open_dialogs,
                   &served_calls>;

void call(troupe::Portal& portal, int i) { EXPECT_EQ(portal.run<&twice>(i), 2 * i); }
void call_that_fails(troupe::Portal& portal, int i) {
  EXPECT_THROW(portal.run<&fails>(i), troupe::RemoteActorError);
}
void stream_that_is_left(troupe::Portal& portal, int) {
  portal.open_stream<&counts_for_ever>(troupe::StreamOptions{.buffer = 4},
                                       [](auto& stream) { EXPECT_EQ(stream.receive(), 0); });
}
void context_in_order(troupe::Portal& portal, int i) {
  EXPECT_EQ(portal.open_context<&echoes>(i,
                                         [](auto& ctx, int first) {
                                           ctx.open_stream([&](Stream& stream) {
                                             stream.send(first);
                                             EXPECT_EQ(stream.receive(), first);
                                           });
                                           return ctx.result();
                                         }),
            1);
}
void context_that_is_cancelled(troupe::Portal& portal, int i) {
  portal.open_context<&echoes>(i, [](auto& ctx, int) { ctx.cancel(); });
}
void context_that_fails(troupe::Portal& portal, int i) {
  EXPECT_THROW(
      portal.open_context<&echoes>(i, [](auto&, int) { throw std::domain_error("the body's"); }),
      std::domain_error);
}
void context_that_the_callee_cancels(troupe::Portal& portal, int) {
  EXPECT_THROW(portal.open_context<&cancels>([](auto&, int) { troupe::sleep_forever(); }),
               troupe::ContextCancelled);
}
void call_in_a_cancelled_scope(troupe::Portal& portal, int) {
  troupe::CancelScope scope;
  scope.run([&] {
    portal.open_stream<&counts_for_ever>([&](auto&) {
      scope.cancel();
      portal.run<&twice>(1);
      ADD_FAILURE() << "the call was not cancelled";
    });
  });
}

TEST(DialogTablesTest, TenThousandDialogsLeaveNothing) {
  constexpr void (*kinds[])(troupe::Portal&, int) = {&call,
                                                     &call_that_fails,
                                                     &stream_that_is_left,
                                                     &context_in_order,
                                                     &context_that_is_cancelled,
                                                     &context_that_fails,
                                                     &context_that_the_callee_cancels,
                                                     &call_in_a_cancelled_scope};
  with_actor(dialogs_of_all_kinds, [&](troupe::Portal& portal) {
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (int task = 0; task < 50; ++task) {
        n.start_soon([&, task] {
          for (int i = 0; i < 200; ++i) {
            kinds[static_cast<std::size_t>(task + i) % std::size(kinds)](portal, i);
          }
        });
      }
    });
    EXPECT_EQ(open_dialogs(), 0u);
    EXPECT_EQ(served_calls(), 0u);
    // In the callee there is the call that asks.
    EXPECT_EQ(portal.run<&open_dialogs>(), 1u);
    EXPECT_EQ(portal.run<&served_calls>(), 1u);
  });
}

}  // namespace
