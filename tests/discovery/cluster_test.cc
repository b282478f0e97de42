// SPDX-License-Identifier: Apache-2.0

// Several programs that were not started by each other: they meet at an arbiter, in any order, or
// do not meet at all. The programs are ":guests".

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "troupe/tests/support/program.h"

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using troupe::testing::Outcome;
using troupe::testing::Program;

struct ClusterTest : ::testing::Test {
  ClusterTest() {
    char name[] = "/tmp/trp-XXXXXX";
    home = ::mkdtemp(name);
    arbiter = "ipc://" + (home / "arbiter").string();
  }
  ~ClusterTest() override { fs::remove_all(home); }

  // Programs of one user have one runtime directory.
  std::unique_ptr<Program> start(std::vector<std::string> arguments,
                                 std::vector<std::pair<std::string, std::string>> more = {}) {
    more.emplace_back("TROUPE_RUNTIME_DIR", (home / "run").string());
    return std::make_unique<Program>("tests/discovery/guests", std::move(arguments),
                                     std::move(more));
  }
  std::string output_of(std::vector<std::string> arguments) {
    const Outcome outcome = start(std::move(arguments))->wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return outcome.output;
  }
  std::unique_ptr<Program> start_arbiter() {
    auto program = start({"attend", arbiter, "host"});
    EXPECT_TRUE(program->wait_for_output("arbiter at " + arbiter + "\n"));
    return program;
  }
  // A daemon says nothing when it serves.
  std::unique_ptr<Program> start_daemon() {
    auto program = start({"daemon", arbiter, "theatre"});
    wait_until([&] { return fs::is_socket(home / "arbiter"); });
    return program;
  }
  static void wait_until(const std::function<bool()>& condition) {
    while (!condition()) std::this_thread::sleep_for(1ms);  // polls the outside world
  }
  // Where an arbiter says that it listens.
  static std::string address_of(Program& program) {
    EXPECT_TRUE(program.wait_for_output("\n"));
    const std::string line = program.output_so_far();
    const std::string before = "arbiter at ";
    if (!line.starts_with(before)) return line;
    return line.substr(before.size(), line.find('\n') - before.size());
  }
  // Ends it in order, and checks that nothing is left of it.
  static void end(Program& program) {
    program.send_signal(SIGTERM);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.exit_code, 143) << outcome.errors;
    EXPECT_THAT(program.processes(), IsEmpty());
  }

  fs::path home;
  std::string arbiter;
};

// ---- Meeting ----

// DSC-19: who comes later joins. DSC-06: it does not matter who comes first.
TEST_F(ClusterTest, AGuestFindsTheHost) {
  const auto host = start_arbiter();
  EXPECT_EQ(output_of({"visit", arbiter, "host"}), "to the health of host\n");
  EXPECT_EQ(output_of({"visit_by_child", arbiter, "host"}), "to the health of host\n");
  end(*host);
}

TEST_F(ClusterTest, GuestsFindEachOtherInEitherOrder) {
  const auto host = start_arbiter();
  const auto early = start({"visit", arbiter, "guest"});
  const auto guest = start({"attend_with_child", arbiter, "guest"});
  EXPECT_EQ(early->wait().output, "to the health of guest\n");
  EXPECT_EQ(output_of({"visit", arbiter, "guest"}), "to the health of guest\n");
  EXPECT_EQ(output_of({"visit", arbiter, "child"}), "to the health of child\n");
  EXPECT_EQ(output_of({"visit_by_child", arbiter, "child"}), "to the health of child\n");
  end(*guest);
  EXPECT_EQ(output_of({"look_for", arbiter, "guest"}), "0 of that name\nnobody\n");
  EXPECT_EQ(output_of({"look_for", arbiter, "child"}), "0 of that name\nnobody\n");
  end(*host);
}

TEST_F(ClusterTest, TcpWorksTheSame) {
  const auto host = start({"attend", "tcp://127.0.0.1:0", "host"});
  arbiter = address_of(*host);
  ASSERT_THAT(arbiter, StartsWith("tcp://127.0.0.1:"));
  const auto guest = start({"attend_with_child", arbiter, "guest"});
  ASSERT_TRUE(guest->wait_for_output("guest\n"));
  EXPECT_EQ(output_of({"visit", arbiter, "child"}), "to the health of child\n");
  EXPECT_EQ(output_of({"visit_by_child", arbiter, "host"}), "to the health of host\n");
  end(*guest);
  end(*host);
}

// Of programs that start at the same moment exactly one is the arbiter.
TEST_F(ClusterTest, ExactlyOneBecomesTheArbiter) {
  for (int round = 0; round < 5; ++round) {
    std::vector<std::unique_ptr<Program>> programs;
    for (int i = 0; i < 6; ++i) programs.push_back(start({"attend", arbiter, "guest"}));
    int arbiters = 0;
    for (const auto& program : programs) {
      ASSERT_TRUE(program->wait_for_output("\n"));
      arbiters += program->output_so_far() != "guest\n";
    }
    EXPECT_EQ(arbiters, 1);
    EXPECT_THAT(output_of({"look_for", arbiter, "guest"}), StartsWith("6 of that name\n"));
    for (const auto& program : programs) program->send_signal(SIGTERM);
    for (const auto& program : programs) EXPECT_EQ(program->wait().exit_code, 143);
  }
}

// DSC-15: an arbiter that does not answer at first is asked once more before it is given up. (It is
// stopped for longer than it is waited for the first time.)
TEST_F(ClusterTest, AStalledArbiterIsAskedAgain) {
  const auto host = start_arbiter();
  host->send_signal(SIGSTOP);
  const auto visitor = start({"visit", arbiter, "host"});
  std::this_thread::sleep_for(3s);
  host->send_signal(SIGCONT);
  EXPECT_EQ(visitor->wait().output, "to the health of host\n");
  end(*host);
}

// DSC-28: a root may be in several registries; what they know is put together, and one of them is
// enough.
TEST_F(ClusterTest, SeveralArbitersAreAskedAtOnce) {
  const std::string other = "ipc://" + (home / "other").string();
  const auto host = start_arbiter();
  const auto other_host = start({"attend", other, "host"});
  ASSERT_TRUE(other_host->wait_for_output("arbiter at " + other));
  const std::string both = arbiter + "," + other;
  const auto guest = start({"attend_with_child", both, "guest"});
  ASSERT_TRUE(guest->wait_for_output("guest\n"));
  EXPECT_THAT(output_of({"look_for", both, "host"}), StartsWith("2 of that name\n"));
  for (const std::string name : {"guest", "child"}) {
    for (const std::string& place : {arbiter, other, both}) {
      EXPECT_EQ(output_of({"look_for", place, name}),
                "1 of that name\nto the health of " + name + "\n");
    }
  }
  end(*host);
  EXPECT_EQ(output_of({"visit", both, "child"}), "to the health of child\n");
  end(*guest);
  EXPECT_EQ(output_of({"look_for", other, "child"}), "0 of that name\nnobody\n");
  end(*other_host);
}

TEST_F(ClusterTest, TheEnvironmentNamesTheArbiter) {
  const auto host = start({"attend", "", "host"}, {{"TROUPE_ARBITER_ADDR", arbiter}});
  ASSERT_TRUE(host->wait_for_output("arbiter at " + arbiter));
  EXPECT_EQ(output_of({"visit", arbiter, "host"}), "to the health of host\n");
}

// ---- Not meeting ----

// Two programs without an arbiter_addr never meet, though they share a runtime directory.
TEST_F(ClusterTest, PrivateTreesSideBySideDoNotMeet) {
  const auto one = start({"attend_with_child", "", "one"});
  const auto two = start({"attend_with_child", "", "two"});
  ASSERT_TRUE(one->wait_for_output("arbiter at ipc://"));
  ASSERT_TRUE(two->wait_for_output("arbiter at ipc://"));
  EXPECT_NE(one->output_so_far(), two->output_so_far());
  EXPECT_EQ(output_of({"look_for", "", "child"}), "0 of that name\nnobody\n");
  EXPECT_FALSE(fs::exists(home / "run" / "key"));
  end(*one);
  end(*two);
  EXPECT_TRUE(fs::is_empty(home / "run"));
}

// A private tree's sockets let nobody in, though they lie where other programs of the user reach
// them: it has a key of its own.
TEST_F(ClusterTest, APrivateTreeLetsNobodyIn) {
  const auto host = start({"attend", "", "host"});
  const Outcome outcome = start({"visit", address_of(*host), "host"})->wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("another key"));
  EXPECT_EQ(output_of({"look_for", "", "host"}), "0 of that name\nnobody\n");
  end(*host);
}

TEST_F(ClusterTest, AnotherTokenIsRefusedAndBothSay) {
  const auto token = [&](const std::string& name) {
    const std::string path = home / name;
    std::ofstream(path) << "the secret of cluster " << name;
    ::chmod(path.c_str(), 0600);
    return path;
  };
  const auto host = start({"attend", arbiter, "host"}, {{"TROUPE_TOKEN_FILE", token("one")}});
  ASSERT_TRUE(host->wait_for_output("arbiter at"));
  const Outcome stranger =
      start({"visit", arbiter, "host"}, {{"TROUPE_TOKEN_FILE", token("two")}})->wait();
  EXPECT_EQ(stranger.exit_code, 1);
  EXPECT_THAT(stranger.errors, HasSubstr("another key"));
  EXPECT_THAT(stranger.errors, HasSubstr(arbiter));
  const Outcome keyless = start({"visit", arbiter, "host"})->wait();
  EXPECT_THAT(keyless.errors, HasSubstr("another key")) << "the user's own is not this cluster's";
  const Outcome friendly =
      start({"visit", arbiter, "host"}, {{"TROUPE_TOKEN_FILE", token("one")}})->wait();
  EXPECT_EQ(friendly.output, "to the health of host\n") << friendly.errors;
  end(*host);
}

// A program may call on an arbiter without joining it: same user, same host.
TEST_F(ClusterTest, AnArbiterCanBeCalledOnWithoutJoining) {
  const auto host = start_arbiter();
  EXPECT_EQ(output_of({"drop_in_on", "", arbiter}),
            "to the health of host\nthe host is in another tree\n");
  end(*host);
}

// ---- Deaths and returns ----

// An arbiter that dies is missed with an error, not with silence; when it is back everybody is
// registered again within seconds, at whichever program it is then.
TEST_F(ClusterTest, AnArbiterMayDieAndComeBack) {
  auto host = start_arbiter();
  const auto guest = start({"attend_with_child", arbiter, "guest"});
  ASSERT_TRUE(guest->wait_for_output("guest\n"));
  const auto seeker = start({"keep_looking_for", arbiter, "child"});
  ASSERT_TRUE(seeker->wait_for_output("to the health of child, 1\n"));
  host->send_signal(SIGKILL);
  EXPECT_EQ(host->wait().signal, SIGKILL);
  ASSERT_TRUE(seeker->wait_for_output("no arbiter, 1\n"));
  host = start_arbiter();
  ASSERT_TRUE(seeker->wait_for_output("to the health of child, 2\n"));
  EXPECT_EQ(output_of({"visit", arbiter, "guest"}), "to the health of guest\n");
  end(*guest);
  EXPECT_EQ(output_of({"look_for", arbiter, "guest"}), "0 of that name\nnobody\n");
  end(*seeker);
  end(*host);
}

// An arbiter that hangs for a while holds up no actor: it hears of those that have come meanwhile.
TEST_F(ClusterTest, ActorsStartWhileTheArbiterHangs) {
  const auto host = start_arbiter();
  EXPECT_EQ(output_of({"start_while_stopped", arbiter, std::to_string(host->pid())}),
            "to the health of child\nto the health of child\n");
  end(*host);
}

// Whoever dies without a word is taken out by the end of its connection, with its children.
TEST_F(ClusterTest, WhoDiedUnheardIsTakenOut) {
  const auto host = start_arbiter();
  const auto guest = start({"attend_with_child", arbiter, "guest"});
  ASSERT_TRUE(guest->wait_for_output("guest\n"));
  const auto seeker = start({"keep_looking_for", arbiter, "child"});
  ASSERT_TRUE(seeker->wait_for_output("to the health of child, 1\n"));
  guest->send_signal(SIGKILL);
  EXPECT_TRUE(seeker->wait_for_output("nobody, 1\n"));
  EXPECT_TRUE(guest->gone_within(2s));
  EXPECT_EQ(output_of({"look_for", arbiter, "guest"}), "0 of that name\nnobody\n");
  end(*seeker);
  end(*host);
}

// Programs elsewhere are told who joins and leaves, also of deaths without a word; and of the
// arbiter's own end, in order or not.
TEST_F(ClusterTest, WhoWatchesIsToldOfComingsGoingsAndTheArbitersEnd) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const auto host = start_arbiter();
    const auto watcher = start({"watch", arbiter, ""});
    ASSERT_TRUE(watcher->wait_for_output("host has joined\n"));
    const auto guest = start({"attend_with_child", arbiter, "guest"});
    ASSERT_TRUE(watcher->wait_for_output("guest has joined\n"));
    ASSERT_TRUE(watcher->wait_for_output("child has joined\n"));
    guest->send_signal(SIGKILL);
    ASSERT_TRUE(watcher->wait_for_output("guest has left\n"));
    ASSERT_TRUE(watcher->wait_for_output("child has left\n"));
    host->send_signal(signal);
    const Outcome outcome = watcher->wait();
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    EXPECT_THAT(outcome.output, HasSubstr("tells no more who joins and leaves"));
    EXPECT_THAT(outcome.output, HasSubstr(arbiter));
    host->wait();
  }
}

// Of two arbiters one story is told, for as long as one of them is there.
TEST_F(ClusterTest, OneStoryIsToldOfSeveralArbiters) {
  const std::string other = "ipc://" + (home / "other").string();
  const auto host = start_arbiter();
  const auto other_host = start({"attend", other, "host"});
  ASSERT_TRUE(other_host->wait_for_output("arbiter at " + other));
  const std::string both = arbiter + "," + other;
  // Both arbiters know the guest when they are asked: what one of them alone has told is over with
  // that one's end.
  const auto guest = start({"attend", both, "guest"});
  ASSERT_TRUE(guest->wait_for_output("guest\n"));
  const auto watcher = start({"watch", both, "guest"});
  ASSERT_TRUE(watcher->wait_for_output("guest has joined\n"));
  end(*host);
  const auto second = start({"attend", other, "guest_2"});
  ASSERT_TRUE(watcher->wait_for_output("guest_2 has joined\n"));
  end(*guest);
  ASSERT_TRUE(watcher->wait_for_output("guest has left\n"));
  end(*second);
  ASSERT_TRUE(watcher->wait_for_output("guest_2 has left\n"));
  end(*other_host);
  EXPECT_THAT(watcher->wait().output,
              StartsWith("guest has joined\nguest_2 has joined\nguest has left\n"
                         "guest_2 has left\nthe arbiter at " +
                         other));
}

// DSC-07: whichever way a tree is torn down, its actors are taken out and the arbiter stays in.
TEST_F(ClusterTest, ATreeThatIsTornDownIsTakenOut) {
  const auto host = start_arbiter();
  for (const int signal : {SIGINT, SIGTERM}) {
    const auto guest = start({"attend_with_child", arbiter, "guest"});
    ASSERT_TRUE(guest->wait_for_output("guest\n"));
    guest->send_signal(signal);
    EXPECT_EQ(guest->wait().exit_code, 128 + signal);
    EXPECT_EQ(output_of({"look_for", arbiter, "child"}), "0 of that name\nnobody\n");
    EXPECT_EQ(output_of({"look_for", arbiter, "guest"}), "0 of that name\nnobody\n");
    EXPECT_EQ(output_of({"look_for", arbiter, "host"}), "1 of that name\nto the health of host\n");
  }
  end(*host);
}

// DSC-12, DSC-13: actors of one name that register at once with an arbiter elsewhere are all there,
// and all gone when their nursery is cancelled.
TEST_F(ClusterTest, ManyOfOneNameComeAndGoAtOnce) {
  const auto host = start_arbiter();
  for (const char* count : {"2", "4", "8"}) {
    EXPECT_EQ(output_of({"be_many", arbiter, count}), std::string(count) + " twins\n0 twins\n");
  }
  end(*host);
}

// ---- Daemons ----

// ROOT-08: a daemon serves until it is cancelled, here by a peer; then its port is free.
TEST_F(ClusterTest, ADaemonServesUntilAPeerCancelsIt) {
  const auto daemon = start_daemon();
  EXPECT_EQ(output_of({"visit", arbiter, "theatre"}), "to the health of theatre\n");
  EXPECT_EQ(output_of({"cancel_arbiter", arbiter, ""}), "the arbiter has ended\n");
  const Outcome outcome = daemon->wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_FALSE(fs::exists(home / "arbiter"));
  end(*start_arbiter());
}

// DSC-10: a daemon that gets SIGINT says so, and ends with the code of the interrupt.
TEST_F(ClusterTest, ADaemonIsEndedBySignals) {
  const auto daemon = start_daemon();
  EXPECT_EQ(output_of({"visit", arbiter, "theatre"}), "to the health of theatre\n");
  daemon->send_signal(SIGINT);
  const Outcome outcome = daemon->wait();
  EXPECT_EQ(outcome.exit_code, 130);
  EXPECT_THAT(outcome.errors, HasSubstr("SIGINT"));
}

// DSC-11: an arbiter that a peer cancels serves nobody any more, but its own main task decides when
// the program ends.
TEST_F(ClusterTest, AnArbiterThatIsCancelledDecidesItselfWhenToExit) {
  const auto host = start_arbiter();
  EXPECT_EQ(output_of({"cancel_arbiter", arbiter, ""}), "the arbiter has ended\n");
  wait_until([&] { return !fs::exists(home / "arbiter"); });
  end(*host);
}

}  // namespace
