// SPDX-License-Identifier: Apache-2.0

// An error on either side of a context ends both.

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

using dialogs::error_of;
using dialogs::Lines;
using dialogs::note;
using dialogs::NotesItsEnd;
using dialogs::read_diary;
using dialogs::with_actor;

// A value that some can neither send nor receive.
struct Delicate {
  int value = 0;

  template <class Archive>
  void save(Archive& archive) const {
    if (value == 1) throw std::domain_error("cannot be sent");
    archive(value);
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(value);
    if (value == 2) throw std::domain_error("cannot be received");
  }
};

struct Silence {
  using Started = void;
};
struct Numbers {
  using Started = void;
  using ToCallee = int;
  using ToCaller = int;
};
struct Delicates {
  using Started = void;
  using ToCallee = Delicate;
  using ToCaller = Delicate;
};
using Stream = troupe::Stream<int, int>;

void sleeps(troupe::Context<Numbers>& ctx) {
  const NotesItsEnd end("woken");
  ctx.started();
  troupe::sleep_forever();
}
void streams(troupe::Context<Numbers>& ctx) {
  const NotesItsEnd end("stream ended");
  ctx.started();
  ctx.open_stream([](Stream& stream) {
    for (int value : stream) stream.send(value);
  });
  note("in order");
}
void fails_before_started(troupe::Context<Silence>&) { throw std::out_of_range("at once"); }
// Fails when the gate opens.
int fails(troupe::Context<Numbers>& ctx) {
  ctx.started();
  dialogs::gate().wait();
  throw std::out_of_range("the callee's");
}
// Sends back every value that it gets.
int reflects(troupe::Context<Delicates>& ctx) {
  ctx.started();
  int count = 0;
  ctx.open_stream([&](auto& stream) {
    for (const Delicate& delicate : stream) {
      ++count;
      stream.send(delicate);
    }
  });
  return count;
}

inline const auto& contexts =
    troupe::module<"contexts", &sleeps, &streams, &fails_before_started, &fails, &reflects>;

using Caller = troupe::CallerContext<Numbers, int>;

// CTX-05: an error of the body cancels the callee, whose cleanup runs, and leaves as itself; with
// and without a stream.
TEST(ContextErrorsTest, AnErrorOfTheBodyEndsTheCallee) {
  with_actor(contexts, [](troupe::Portal& portal) {
    EXPECT_THROW(portal.open_context<&sleeps>([](auto&) { throw std::invalid_argument("mine"); }),
                 std::invalid_argument);
    EXPECT_EQ(portal.run<&read_diary>(0), Lines{"woken"});
    EXPECT_THROW(portal.open_context<&streams>([](auto& ctx) {
      ctx.open_stream([](Stream& stream) {
        stream.send(1);
        stream.receive();
        throw std::invalid_argument("mine");
      });
    }),
                 std::invalid_argument);
    // STR-12: a stream that is left by an error has no end in order over there.
    EXPECT_EQ(portal.run<&read_diary>(0), (Lines{"woken", "stream ended"}));
    EXPECT_TRUE(portal.connected());
  });
}

TEST(ContextErrorsTest, AnErrorBeforeStartedIsTheOpeners) {
  with_actor(contexts, [](troupe::Portal& portal) {
    bool began = false;
    const auto error = error_of<troupe::RemoteActorError>(
        [&] { portal.open_context<&fails_before_started>([&](auto&) { began = true; }); });
    ASSERT_TRUE(error);
    EXPECT_TRUE(error->is<std::out_of_range>());
    EXPECT_EQ(error->boxed_message(), "at once");
    EXPECT_EQ(error->src_uid(), portal.uid());
    EXPECT_FALSE(began);
  });
}

// The callee's error ends the body wherever it waits, and leaves the block.
TEST(ContextErrorsTest, AnErrorOfTheCalleeInterruptsTheBody) {
  const std::function<void(Caller&)> waits[] = {
      [](Caller&) { troupe::sleep_forever(); },
      [](Caller& ctx) { ctx.result(); },
      [](Caller& ctx) { ctx.open_stream([](Stream& stream) { stream.receive(); }); },
      [](Caller& ctx) {
        ctx.open_stream([](Stream& stream) {
          for (;;) stream.send(1);
        });
      },
      [](Caller&) {},
  };
  for (const auto& wait : waits) {
    with_actor(contexts, [&](troupe::Portal& portal) {
      const auto error = error_of<troupe::RemoteActorError>([&] {
        portal.open_context<&fails>([&](Caller& ctx) {
          troupe::open_task_nursery([&](troupe::TaskNursery& n) {
            n.start_soon([&] { portal.run<&dialogs::open_gate>(); });
            wait(ctx);
          });
        });
      });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->boxed_message(), "the callee's");
    });
  }
}

// The result raises the error, and then the block raises it again.
TEST(ContextErrorsTest, TheResultRaisesTheError) {
  with_actor(contexts, [](troupe::Portal& portal) {
    bool told = false;
    const auto error = error_of<troupe::RemoteActorError>([&] {
      portal.open_context<&fails>([&](Caller& ctx) {
        troupe::open_task_nursery([&](troupe::TaskNursery& n) {
          n.start_soon([&] { portal.run<&dialogs::open_gate>(); });
          try {
            ctx.result();
          } catch (const troupe::RemoteActorError&) {
            told = true;
          }
        });
      });
    });
    EXPECT_TRUE(error);
    EXPECT_TRUE(told);
  });
}

// An error that the body raises because of it stands in its place.
TEST(ContextErrorsTest, AnErrorOfTheHandlerStandsInItsPlace) {
  with_actor(contexts, [](troupe::Portal& portal) {
    EXPECT_THROW(portal.open_context<&fails>([&](Caller& ctx) {
      troupe::open_task_nursery([&](troupe::TaskNursery& n) {
        n.start_soon([&] { portal.run<&dialogs::open_gate>(); });
        try {
          ctx.result();
        } catch (const troupe::RemoteActorError&) {
          throw std::domain_error("of it");
        }
      });
    }),
                 std::domain_error);
  });
}

// When both sides fail by themselves, both errors come out.
TEST(ContextErrorsTest, ErrorsOfBothSidesAreAGroup) {
  with_actor(contexts, [](troupe::Portal& portal) {
    const auto group = error_of<troupe::ExceptionGroup>([&] {
      portal.open_context<&fails>([&](Caller&) {
        try {
          portal.run<&dialogs::open_gate>();
          troupe::sleep_forever();
        } catch (const troupe::Cancelled&) {
          throw std::domain_error("the body's");
        }
      });
    });
    ASSERT_TRUE(group);
    ASSERT_EQ(group->exceptions().size(), 2u);
    EXPECT_THROW(std::rethrow_exception(group->exceptions()[0]), std::domain_error);
    EXPECT_THROW(std::rethrow_exception(group->exceptions()[1]), troupe::RemoteActorError);
  });
}

// RPC-13: a value that cannot be sent is an error of its sender, and is not sent; the stream goes
// on.
TEST(ContextErrorsTest, AValueThatCannotBeSentIsTheSendersError) {
  with_actor(contexts, [](troupe::Portal& portal) {
    EXPECT_EQ(portal.open_context<&reflects>([](auto& ctx) {
      ctx.open_stream([](auto& stream) {
        EXPECT_THROW(stream.send(Delicate{1}), std::domain_error);
        stream.send(Delicate{3});
        EXPECT_EQ(stream.receive().value, 3);
      });
      return ctx.result();
    }),
              1);
  });
}

// A value that cannot be received is an error of its receiver, and of no other dialog of the same
// connection.
TEST(ContextErrorsTest, AValueThatCannotBeReceivedIsTheReceiversError) {
  with_actor(contexts, [](troupe::Portal& portal) {
    portal.open_context<&sleeps>([&](auto& other) {
      const auto error = error_of<troupe::RemoteActorError>([&] {
        portal.open_context<&reflects>([](auto& ctx) {
          ctx.open_stream([](auto& stream) {
            stream.send(Delicate{2});
            stream.receive();
          });
        });
      });
      ASSERT_TRUE(error);
      EXPECT_TRUE(error->template is<std::domain_error>());
      EXPECT_EQ(portal.run<&dialogs::own_name>(), "callee");
      other.cancel();
    });
  });
}

}  // namespace
