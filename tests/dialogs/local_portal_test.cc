// SPDX-License-Identifier: Apache-2.0

// A portal of an actor to itself: everything is as between two processes.

#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "troupe/ipc/connection.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::error_of;

struct Numbers {
  using Started = int;
  using ToCallee = int;
  using ToCaller = int;
};
using Stream = troupe::Stream<int, int>;

std::string name_and_pid() {
  return troupe::current_actor().name() + " " + std::to_string(troupe::current_actor().pid());
}
int fails() { throw std::out_of_range("to myself"); }
bool has_context() {
  try {
    troupe::current_ipc_ctx();
    return true;
  } catch (const troupe::UsageError&) {
    return false;
  }
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
void sleeps(troupe::Context<Numbers>& ctx) {
  ctx.started(0);
  troupe::sleep_forever();
}
void cancels(troupe::Context<Numbers>& ctx) {
  ctx.started(0);
  ctx.cancel();
  troupe::sleep_forever();
}
void counts(troupe::Sink<int> out, int count) {
  for (int i = 0; i < count; ++i) out.send(i);
}
void large_values(troupe::Sink<std::vector<char>> out, int count) {
  for (int i = 0; i < count; ++i) out.send(std::vector<char>(1 << 20, static_cast<char>(i)));
}
// As many contexts of an actor to itself inside of each other.
int in_each_other(troupe::Context<Numbers>& ctx, int depth);

inline const auto& own = troupe::module<"own", &name_and_pid, &fails, &has_context, &echoes,
                                        &sleeps, &cancels, &counts, &large_values, &in_each_other>;

int in_each_other(troupe::Context<Numbers>& ctx, int depth) {
  ctx.started(depth);
  if (depth == 0) return 0;
  troupe::Portal self = *troupe::find_actor(troupe::current_actor().name());
  return self.open_context<&in_each_other>(
      depth - 1, [](auto& inner, int first) { return inner.result() + first + 1; });
}

// Run in a child.
int talks_to_itself() {
  troupe::Portal self = *troupe::find_actor(troupe::current_actor().name());
  const bool is_self = self.run<&name_and_pid>() == name_and_pid();
  return is_self ? self.open_context<&in_each_other>(3, [](auto& ctx, int) { return ctx.result(); })
                 : -1;
}
inline const auto& children = troupe::module<"children", &talks_to_itself>;

// Runs `body(portal)` in a root, with a portal to itself.
template <class Body>
void with_oneself(Body body) {
  troupe::open_root_actor({.enable_modules = {own}}, [&] {
    troupe::Portal self = *troupe::find_actor("root");
    body(self);
  });
}

std::size_t open_dialogs() {
  std::size_t count = 0;
  for (const auto& connection : troupe::Actor::booted().transport().connections()) {
    count += connection->statistics().open_dialogs;
  }
  return count;
}

// How many sockets this process has.
std::size_t open_sockets() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed_meanwhile;
    const std::string target = std::filesystem::read_symlink(entry.path(), closed_meanwhile);
    count += target.starts_with("socket:") ? 1 : 0;
  }
  return count;
}

// DSC-04: the arbiter's portal to the arbiter is a portal to itself, which takes no socket.
TEST(LocalPortalTest, TakesNoSocket) {
  with_oneself([](troupe::Portal&) {
    const std::size_t before = open_sockets();
    EXPECT_EQ(troupe::get_arbiter().run<&name_and_pid>(), name_and_pid());
    EXPECT_EQ(open_sockets(), before);
  });
}

TEST(LocalPortalTest, Calls) {
  with_oneself([](troupe::Portal& self) {
    EXPECT_EQ(self.uid(), troupe::current_actor().uid());
    EXPECT_EQ(self, troupe::get_arbiter());
    EXPECT_EQ(self.run<&name_and_pid>(), name_and_pid());
    EXPECT_EQ(self.run<std::string>("own.name_and_pid"), name_and_pid());
    EXPECT_TRUE(self.connected());
    const auto error = error_of<troupe::RemoteActorError>([&] { self.run<&fails>(); });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is<std::out_of_range>());
    EXPECT_EQ(error->src_uid(), self.uid());
    EXPECT_THROW(self.run<int>("own.nothing"), troupe::ModuleNotExposed);
    EXPECT_EQ(open_dialogs(), 0u);
  });
}

// CTX-22: a context to oneself works, and its two ends are two tasks with a context each.
TEST(LocalPortalTest, Contexts) {
  with_oneself([](troupe::Portal& self) {
    EXPECT_EQ(self.open_context<&echoes>(3,
                                         [&](auto& ctx, int first) {
                                           EXPECT_EQ(first, 3);
                                           EXPECT_FALSE(self.run<&has_context>());
                                           ctx.open_stream([](Stream& stream) {
                                             for (int i = 0; i < 1000; ++i) {
                                               stream.send(i);
                                               EXPECT_EQ(stream.receive(), i);
                                             }
                                           });
                                           return ctx.result();
                                         }),
              1000);
    EXPECT_EQ(open_dialogs(), 0u);
  });
}

TEST(LocalPortalTest, ContextsInEachOther) {
  with_oneself([](troupe::Portal& self) {
    EXPECT_EQ(self.open_context<&in_each_other>(20, [](auto& ctx, int) { return ctx.result(); }),
              20 * 21 / 2);
  });
}

TEST(LocalPortalTest, CancelledByEitherSide) {
  with_oneself([](troupe::Portal& self) {
    self.open_context<&sleeps>([](auto& ctx, int) {
      ctx.cancel();
      EXPECT_TRUE(ctx.cancel_acked());
      ctx.result();
    });
    const auto error = error_of<troupe::ContextCancelled>(
        [&] { self.open_context<&cancels>([](auto&, int) { troupe::sleep_forever(); }); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->canceller(), self.uid());
    EXPECT_THROW(
        self.open_context<&sleeps>([](auto&, int) { throw std::out_of_range("the body's"); }),
        std::out_of_range);
    EXPECT_EQ(open_dialogs(), 0u);
  });
}

TEST(LocalPortalTest, Streams) {
  with_oneself([](troupe::Portal& self) {
    self.open_stream<&counts>(50'000, [](auto& stream) {
      int expected = 0;
      for (int value : stream) EXPECT_EQ(value, expected++);
      EXPECT_EQ(expected, 50'000);
    });
    self.open_stream<&large_values>(20, [](auto& stream) {
      int expected = 0;
      for (const std::vector<char>& value : stream) {
        EXPECT_EQ(value.size(), std::size_t{1} << 20);
        EXPECT_EQ(value.back(), static_cast<char>(expected++));
      }
      EXPECT_EQ(expected, 20);
    });
    self.open_stream<&counts>(1'000'000, [](auto& stream) { EXPECT_EQ(stream.receive(), 0); });
    EXPECT_EQ(open_dialogs(), 0u);
  });
}

TEST(LocalPortalTest, ManyAtOnce) {
  with_oneself([](troupe::Portal& self) {
    int done = 0;
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (int i = 0; i < 300; ++i) {
        n.start_soon([&] {
          EXPECT_EQ(self.run<&name_and_pid>(), name_and_pid());
          EXPECT_EQ(
              self.open_context<&in_each_other>(1, [](auto& ctx, int) { return ctx.result(); }), 1);
          ++done;
        });
      }
    });
    EXPECT_EQ(done, 300);
    EXPECT_EQ(open_dialogs(), 0u);
  });
}

TEST(LocalPortalTest, InAChild) {
  dialogs::in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal portal = n.start_actor("child", {.enable_modules = {own, children}});
    EXPECT_EQ(portal.run<&talks_to_itself>(), 6);
    n.cancel();
  });
}

// A root that fails in the middle of dialogs with itself ends with its error.
TEST(LocalPortalTest, AnErrorEndsWhatIsOpen) {
  EXPECT_THROW(
      with_oneself([](troupe::Portal& self) {
        troupe::open_task_nursery([&](troupe::TaskNursery& n) {
          n.start_soon([&] { self.open_context<&sleeps>([](auto& ctx, int) { ctx.result(); }); });
          n.start_soon([&] {
            self.open_stream<&counts>(1'000'000'000, [](auto& stream) {
              for ([[maybe_unused]] int value : stream) {
              }
            });
          });
          EXPECT_EQ(self.run<&name_and_pid>(), name_and_pid());
          throw std::domain_error("the root's");
        });
      }),
      std::domain_error);
}

}  // namespace
