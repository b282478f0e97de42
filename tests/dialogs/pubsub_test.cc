// SPDX-License-Identifier: Apache-2.0

// A publisher with subscribers in other actors, some of which change what they want.

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

#include "troupe/tests/dialogs/dialog_support.h"
#include "troupe/troupe.h"

namespace {

// The subscriber sends topics, each of which takes the place of the one before; the publisher sends
// their news.
struct Topics {
  using Started = void;
  using ToCallee = std::string;
  using ToCaller = std::string;
};
using Stream = troupe::Stream<std::string, std::string>;

// Who listens to this publisher.
struct Subscriber {
  std::string topic;
  Stream& stream;
};
std::set<Subscriber*>& subscribers() {
  static std::set<Subscriber*> all;
  return all;
}

class Listed {
 public:
  explicit Listed(Subscriber& subscriber) : subscriber_(subscriber) {
    subscribers().insert(&subscriber_);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() { subscribers().erase(&subscriber_); }

 private:
  Subscriber& subscriber_;
};

void listens(troupe::Context<Topics>& ctx, const std::string& topic) {
  ctx.started();
  ctx.open_stream([&](Stream& stream) {
    Subscriber subscriber{topic, stream};
    const Listed listed(subscriber);
    for (const std::string& other : stream) subscriber.topic = other;
  });
}

// Sends news of either topic to whom they are of interest. A subscriber who is too slow misses
// some.
void publishes() {
  for (int i = 0;; ++i) {
    const std::string topic = i % 2 == 0 ? "even" : "odd";
    for (Subscriber* subscriber : subscribers()) {
      if (subscriber->topic != topic) continue;
      try {
        subscriber->stream.try_send(topic);
      } catch (const troupe::BrokenChannel&) {  // it is about to leave
      }
    }
    troupe::checkpoint();
  }
}
std::size_t count_of_subscribers() { return subscribers().size(); }

// Takes `count` news of `topic`, and then as many of `then` (if any) after the change. Returns how
// many were of another topic than the one of the moment.
int reads(const std::string& topic, const std::string& then, int count) {
  int wrong = 0;
  troupe::wait_for_actor("publisher").open_context<&listens>(topic, [&](auto& ctx) {
    ctx.open_stream([&](Stream& stream) {
      for (int i = 0; i < count; ++i) wrong += stream.receive() == topic ? 0 : 1;
      if (then.empty()) return;
      stream.send(then);
      while (stream.receive() != then) {  // under way at the change
      }
      for (int i = 1; i < count; ++i) wrong += stream.receive() == then ? 0 : 1;
    });
  });
  return wrong;
}

// Several tasks of one actor subscribe, leave, and subscribe again. Returns as `reads`.
int reads_again_and_again(int tasks) {
  int wrong = 0;
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    for (int i = 0; i < tasks; ++i) {
      n.start_soon([&wrong] {
        for (int round = 0; round < 3; ++round) wrong += reads("even", "", 20);
      });
    }
  });
  return wrong;
}

inline const auto& publisher =
    troupe::module<"publisher", &listens, &publishes, &count_of_subscribers>;

// PUB-03, PUB-04: subscribers in several actors see the values of their topic alone. PUB-05: who
// has gone is no subscriber any more; after the last nobody is sent anything. STR-03: three
// subscribers with fixed topics and one that changes its own get what they want; then an error of
// the root ends all, and comes out bare.
TEST(PubSubTest, SubscribersComeChangeAndGo) {
  EXPECT_THROW(dialogs::in_nursery([](troupe::ActorNursery& n) {
                 troupe::Portal portal = dialogs::start(n, "publisher", publisher);
                 n.start_soon([portal] { portal.run<&publishes>(); });
                 const auto one = n.run_in_actor<&reads>("one", "even", "", 500);
                 const auto two = n.run_in_actor<&reads>("two", "odd", "", 500);
                 const auto three = n.run_in_actor<&reads>("three", "even", "odd", 500);
                 for (const auto* results : {&one, &two, &three}) EXPECT_EQ(results->result(), 0);
                 EXPECT_EQ(portal.run<&count_of_subscribers>(), 0u);
                 n.run_in_actor<&reads>("endless", "odd", "", 1'000'000'000);
                 while (portal.run<&count_of_subscribers>() == 0) troupe::checkpoint();
                 throw std::domain_error("the root's");
               }),
               std::domain_error);
}

// PUB-06: tasks of one actor that come and go on one topic leave the others served.
TEST(PubSubTest, TasksOfOneActorComeAndGo) {
  dialogs::in_nursery([](troupe::ActorNursery& n) {
    troupe::Portal portal = dialogs::start(n, "publisher", publisher);
    n.start_soon([portal] { portal.run<&publishes>(); });
    const auto constant = n.run_in_actor<&reads>("constant", "even", "", 2000);
    const auto restless = n.run_in_actor<&reads_again_and_again>("restless", 4);
    EXPECT_EQ(restless.result(), 0);
    EXPECT_EQ(constant.result(), 0);
    EXPECT_EQ(portal.run<&count_of_subscribers>(), 0u);
    n.cancel();
  });
}

}  // namespace
