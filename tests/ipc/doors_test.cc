// SPDX-License-Identifier: Apache-2.0

// Who listens has no ZeroMQ socket before somebody comes; who connects to very many has as many
// ZeroMQ contexts as that takes.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "troupe/ipc/transport.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/tests/ipc/socket_support.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::Echo;
using testing::event_descriptors;
using testing::options_for;
using testing::serve_while;
using testing::SocketDirectory;

void raise_limit_of_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

struct Listening {
  explicit Listening(const char* name) : transport(options_for(name), handler) {}
  Echo handler;
  Transport transport;
};

void in_loop(const std::function<void(const SocketDirectory&)>& body) {
  run_tasks([&] { body(SocketDirectory()); });
}

TEST(DoorsTest, ListeningCostsNoZeroMqSocketUntilSomebodyComes) {
  in_loop([](const SocketDirectory& directory) {
    Listening b("b");
    const int before = event_descriptors();
    const Address first = b.transport.bind(directory.address("first"));
    const Address second = b.transport.bind(directory.address("second"));
    EXPECT_LE(event_descriptors(), before + 1);  // the context's own
    Listening a("a");
    serve_while({&a.transport, &b.transport}, [&] {
      EXPECT_EQ(testing::echo(a.transport.connect(second), "2"), "2");
      EXPECT_EQ(testing::echo(a.transport.connect(first), "1"), "1");
    });
  });
}

TEST(DoorsTest, WhoHasStoodForAWhileIsReadyForTheNext) {
  in_loop([](const SocketDirectory& directory) {
    Listening b("b");
    b.transport.bind(directory.address("b"));
    const int before = event_descriptors();
    serve_while({&b.transport}, [&] {
      while (event_descriptors() == before) sleep(5ms);
    });
  });
}

TEST(DoorsTest, AnAddressThatIsGivenUpBeforeSomebodyComesIsGone) {
  in_loop([](const SocketDirectory& directory) {
    Listening b("b");
    const Address kept = b.transport.bind(directory.address("kept"));
    const Address given_up = b.transport.bind(directory.address("given-up"));
    b.transport.unbind(given_up);
    EXPECT_NE(::access(given_up.path().c_str(), F_OK), 0);
    Listening a("a");
    serve_while({&a.transport, &b.transport}, [&] {
      EXPECT_THROW(a.transport.connect(given_up), TransportClosed);
      EXPECT_EQ(testing::echo(a.transport.connect(kept), "x"), "x");
      b.transport.unbind(kept);
      EXPECT_NE(::access(kept.path().c_str(), F_OK), 0);
    });
  });
}

// Whoever comes while the actor computes waits at the door, and is let in.
TEST(DoorsTest, WhoKnocksBeforeItIsServedIsLetIn) {
  in_loop([](const SocketDirectory& directory) {
    Listening a("a");
    Listening b("b");
    const Address address = b.transport.bind(directory.address("b"));
    serve_while({&a.transport}, [&] {
      open_task_nursery([&](TaskNursery& n) {
        n.start_soon([&] { EXPECT_EQ(testing::echo(a.transport.connect(address), "x"), "x"); });
        sleep(20ms);
        serve_while({&b.transport}, [&] { n.wait_all(); });
      });
    });
  });
}

TEST(DoorsTest, MoreConnectionsThanAContextHasSockets) {
  raise_limit_of_descriptors();
  static constexpr int connections = 400;
  in_loop([](const SocketDirectory& directory) {
    Listening a("a");
    Listening b("b");
    std::vector<Address> addresses;
    for (int i = 0; i < connections; ++i) {
      addresses.push_back(b.transport.bind(directory.address(std::to_string(i))));
    }
    serve_while({&a.transport, &b.transport}, [&] {
      for (const Address& address : addresses) a.transport.connect(address);
      EXPECT_EQ(a.transport.statistics().channels, connections);
      EXPECT_EQ(testing::echo(a.transport.connect(addresses.back()), "x"), "x");
    });
  });
}

}  // namespace
}  // namespace troupe
