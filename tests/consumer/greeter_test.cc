// SPDX-License-Identifier: Apache-2.0
#include "greeter.h"

#include <gtest/gtest.h>

#include "troupe/troupe.h"

namespace {

TEST(GreeterTest, GreetsFromAnActor) {
  troupe::run([] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      EXPECT_EQ(n.run_in_actor<&greet>("greeter", "test").result(), "hello test, this is greeter");
    });
  });
}

}  // namespace
