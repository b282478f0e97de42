// SPDX-License-Identifier: Apache-2.0

// How contexts end: by whom, as their openers are told; by an error in a nursery that belongs to
// the actor rather than to one of them; and what can be done with one that has ended.

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::error_of;
using dialogs::with_actor;
using troupe::ContextCancelled;

struct Silence {
  using Started = void;
};
struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};

void sleeps(troupe::Context<Silence>& ctx) {
  ctx.started();
  troupe::sleep_forever();
}
void cancels_itself(troupe::Context<Silence>& ctx) {
  ctx.started();
  ctx.cancel_scope().cancel();
  troupe::sleep_forever();
}
bool cancels(const std::string& name) { return troupe::wait_for_actor(name).cancel_actor(); }
void echoes(troupe::Context<Numbers>& ctx) {
  ctx.started();
  ctx.open_stream([](troupe::Stream<int, int>& stream) {
    for (int value : stream) stream.send(value);
  });
}

// A nursery of this actor that lives as long as one context, and in which others start tasks.
troupe::TaskNursery*& kept_nursery() {
  static troupe::TaskNursery* of_this_process = nullptr;
  return of_this_process;
}
void keeps_a_nursery(troupe::Context<Silence>& ctx) {
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    kept_nursery() = &n;
    ctx.started();
    troupe::sleep_forever();
  });
}
void starts_a_task_that_fails(troupe::Context<Silence>& ctx) {
  kept_nursery()->start_soon([] {
    dialogs::gate().wait();
    throw std::domain_error("in the nursery of the actor");
  });
  ctx.started();
  troupe::sleep_forever();
}

inline const auto& endings = troupe::module<"endings", &sleeps, &cancels_itself, &cancels, &echoes,
                                            &keeps_a_nursery, &starts_a_task_that_fails>;

bool says(const ContextCancelled& error, const std::string& part) {
  return std::string(error.what()).find(part) != std::string::npos;
}

// ERR-12: a task that has cancelled its own scope is reported as that.
TEST(ContextEndTest, ATaskThatCancelsItself) {
  with_actor(endings, [](troupe::Portal& portal) {
    const auto error = error_of<ContextCancelled>(
        [&] { portal.open_context<&cancels_itself>([](auto&) { troupe::sleep_forever(); }); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->canceller(), portal.uid());
    EXPECT_TRUE(says(*error, "that actor itself")) << error->what();
  });
}

// ERR-12: so is one that its caller has cancelled, ...
TEST(ContextEndTest, ATaskThatItsCallerCancels) {
  with_actor(endings, [](troupe::Portal& portal) {
    const troupe::Uid& self = troupe::current_actor().uid();
    portal.open_context<&sleeps>([&](auto& ctx) {
      ctx.cancel();
      const auto error = error_of<ContextCancelled>([&] { ctx.result(); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->canceller(), self);
      EXPECT_TRUE(says(*error, "cancelled by " + self.to_string())) << error->what();
    });
  });
}

// ERR-12: ... and one that ends with its actor, at the request of a third.
TEST(ContextEndTest, ATaskThatAThirdActorCancels) {
  dialogs::in_nursery([](troupe::ActorNursery& actors) {
    const troupe::Portal callee = dialogs::start(actors, "callee", endings);
    const troupe::Portal third = dialogs::start(actors, "third", endings);
    std::optional<ContextCancelled> error;
    troupe::Event opened;
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      n.start_soon([&] {
        error = error_of<ContextCancelled>([&] {
          callee.open_context<&sleeps>([&](auto&) {
            opened.set();
            troupe::sleep_forever();
          });
        });
      });
      opened.wait();
      EXPECT_TRUE(third.run<&cancels>("callee"));
    });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->canceller(), third.uid());
    third.cancel_actor();
  });
}

// CAN-18: an actor keeps a nursery, two contexts are open to it, and a task that one of them has
// started there fails: the opener, who waits in both blocks, gets that error, boxed. The actor goes
// on.
TEST(ContextEndTest, ATaskInANurseryOfTheActorFails) {
  with_actor(endings, [](troupe::Portal& portal) {
    const auto error = error_of<troupe::RemoteActorError>([&] {
      portal.open_context<&keeps_a_nursery>([&](auto&) {
        portal.open_context<&starts_a_task_that_fails>([&](auto&) {
          portal.run<&dialogs::open_gate>();
          troupe::sleep_forever();
        });
      });
    });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is<std::domain_error>()) << error->what();
    EXPECT_EQ(error->src_uid(), portal.uid());
    EXPECT_EQ(portal.run<&dialogs::own_name>(), "callee");
  });
}

// CTX-15: a context that has ended by its cancellation has no stream to open any more.
TEST(ContextEndTest, NoStreamAfterTheEnd) {
  with_actor(endings, [](troupe::Portal& portal) {
    bool opened = false;
    portal.open_context<&echoes>([&](auto& ctx) {
      ctx.cancel();
      EXPECT_TRUE(error_of<ContextCancelled>([&] { ctx.result(); }));
      const auto error =
          error_of<ContextCancelled>([&] { ctx.open_stream([&](auto&) { opened = true; }); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->canceller(), troupe::current_actor().uid());
    });
    EXPECT_FALSE(opened);
    EXPECT_TRUE(portal.connected());
  });
}

}  // namespace
