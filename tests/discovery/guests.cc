// SPDX-License-Identifier: Apache-2.0

// The program of which the tests with several programs start several: what it does is its first
// argument, where the arbiter is the second (empty: nowhere; "a,b": there are two), and a name or
// number the third.

#include <signal.h>

#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>

#include "troupe/troupe.h"

namespace {

using namespace std::chrono_literals;

std::string toast() { return "to the health of " + troupe::current_actor().name(); }
std::string toast_by_way_of(const std::string& name) {
  return troupe::wait_for_actor(name).run<&toast>();
}
std::string toast_by_a_child();
int stays = 0;
void stay();
int times_stayed() { return stays; }

// Numbers, one after the other: more than credit and pipes hold.
void count(troupe::Sink<int> out, int to) {
  for (int i = 0; i < to; ++i) out.send(i);
}

struct Echoes {
  using Started = int;
  using ToCallee = std::string;
  using ToCaller = std::string;
};

// Says back what it is told, and in the end how often.
int echo(troupe::Context<Echoes>& ctx) {
  ctx.started(0);
  int times = 0;
  ctx.open_stream([&](troupe::Stream<std::string, std::string>& stream) {
    for (const std::string& words : stream) {
      stream.send(words);
      ++times;
    }
  });
  return times;
}

// Comes to no checkpoint meanwhile.
void think_for_seconds(int seconds) { std::this_thread::sleep_for(std::chrono::seconds(seconds)); }

// Calls the actor of that name again and again while it thinks, for longer than another host may be
// silent. Returns how many calls were answered.
int pester(const std::string& name) {
  const troupe::Portal thinker = troupe::wait_for_actor(name);
  int answers = 0;
  troupe::open_task_nursery([&](troupe::TaskNursery& n) {
    n.start_soon([&] { thinker.run<&think_for_seconds>(6); });
    for (int i = 0; i < 300; ++i) {
      troupe::sleep(2ms);
      n.start_soon([&] {
        thinker.run<&toast>();
        ++answers;
      });
    }
  });
  return answers;
}

inline const auto& party =
    troupe::module<"party", &toast, &toast_by_way_of, &toast_by_a_child, &stay, &times_stayed,
                   &count, &echo, &think_for_seconds, &pester>;

void say(const std::string& line) { std::cout << line << std::endl; }

std::string toast_by_a_child() {
  std::string words;
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    words = n.start_actor("child", {.enable_modules = {party}}).run<&toast>();
    n.cancel();
  });
  return words;
}

// Says when its caller is there, and when it is lost.
void stay() {
  struct Farewell {
    ~Farewell() { say("left alone"); }
  } const farewell;
  ++stays;
  say("a guest stays");
  troupe::sleep_forever();
}

struct Guest {
  std::string arbiter;
  std::string name;

  troupe::RunOptions options() const {
    troupe::RunOptions options;
    options.name = name;
    const std::size_t comma = arbiter.find(',');
    options.arbiter_addr = arbiter.substr(0, comma);
    if (comma != std::string::npos) options.registry_addrs = {arbiter.substr(comma + 1)};
    options.enable_modules = {party};
    options.insecure_tcp = true;  // for tests with hosts of their own
    options.liveness = 3s;
    return options;
  }
};

// Says what it is, and serves.
void attend() {
  const troupe::CurrentActor self = troupe::current_actor();
  say(self.is_arbiter() ? "arbiter at " + self.address().str() : "guest");
  troupe::sleep_forever();
}

void attend_with_child() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    n.start_actor("child", {.enable_modules = {party}});
    attend();
  });
}

// Starts an actor while the process of the arbiter is stopped.
void start_while_stopped(const std::string& arbiter_pid) {
  const int pid = std::stoi(arbiter_pid);
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    troupe::get_arbiter();
    ::kill(pid, SIGSTOP);
    say(n.start_actor("child", {.enable_modules = {party}}).run<&toast>());
    ::kill(pid, SIGCONT);
    say(troupe::wait_for_actor("child").run<&toast>());
    n.cancel();
  });
}

// Finds the actor of that name and says what it says.
void visit(const std::string& name) {
  troupe::fail_after(20s, [&] { say(troupe::wait_for_actor(name).run<&toast>()); });
}

// Streams with the actor of that name, one way and both ways, and says how much came right.
void converse(const std::string& name) {
  constexpr int numbers = 50'000;
  constexpr int exchanges = 200;
  const troupe::Portal other = troupe::wait_for_actor(name);
  int next = 0;
  other.open_stream<&count>(numbers, [&](troupe::ReceiveStream<int>& in) {
    for (const int number : in) next += number == next;
  });
  const std::string words(10'000, 'w');
  int right = 0;
  const int times = other.open_context<&echo>([&](troupe::CallerContext<Echoes, int>& ctx, int) {
    ctx.open_stream([&](troupe::Stream<std::string, std::string>& stream) {
      for (int i = 0; i < exchanges; ++i) stream.send(words);
      stream.close_send();
      for (const std::string& heard : stream) right += heard == words;
    });
    return ctx.result();
  });
  say(std::to_string(next) + " numbers, " + std::to_string(right) + " of " + std::to_string(times) +
      " echoes");
}

// The same from a child, which asks the arbiter itself.
void visit_by_child(const std::string& name) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    const troupe::Portal child = n.start_actor("messenger", {.enable_modules = {party}});
    say(child.run<&toast_by_way_of>(name));
    n.cancel();
  });
}

// Says who of that name is there, and at which address.
void look_for(const std::string& name) {
  say(std::to_string(troupe::find_actors(name).size()) + " of that name");
  const auto found = troupe::find_actor(name);
  say(found ? found->run<&toast>() : "nobody");
}

// Stays with the host until the connection is lost, and comes back when there is one again.
void stay_and_return() {
  try {
    troupe::wait_for_actor("host").run<&stay>();
  } catch (const troupe::TransportClosed&) {
    say("cut off");
  }
  for (;; troupe::sleep(50ms)) {
    try {
      const int times = troupe::wait_for_actor("host").run<&times_stayed>();
      say("stayed " + std::to_string(times) + " time(s)");
      return troupe::sleep_forever();
    } catch (const troupe::TransportClosed&) {
    }
  }
}

// Has an actor that `command` starts, on another host.
void send_abroad(const std::string& command) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    const troupe::Portal envoy = n.start_actor(
        "envoy",
        {.enable_modules = {party}, .start_method = troupe::Launcher{.argv = {command, "{exe}"}}});
    say(envoy.run<&toast>());
    say(envoy.run<&toast_by_way_of>("visitor"));
    say(envoy.run<&toast_by_a_child>());
    troupe::sleep_forever();
  });
}

// Looks for somebody all the time. When the outcome changes it says so, and for which time.
void keep_looking_for(const std::string& name) {
  std::map<std::string, int> times;
  std::string before;
  for (;; troupe::sleep(5ms)) {
    std::string now;
    try {
      const auto found = troupe::find_actor(name);
      now = found ? found->run<&toast>() : "nobody";
    } catch (const troupe::TransportClosed& closed) {
      // Whoever was just being called may be the one that died; the next look tells.
      if (std::string(closed.what()).find("the arbiter at") == std::string::npos) continue;
      now = "no arbiter";
    }
    if (now != before) say(now + ", " + std::to_string(++times[now]));
    before = now;
  }
}

// As many actors of one name as `count` says, started at once.
void be_many(int count) {
  troupe::open_nursery([&](troupe::ActorNursery& n) {
    troupe::open_task_nursery([&](troupe::TaskNursery& tasks) {
      for (int i = 0; i < count; ++i) tasks.start_soon([&n] { n.start_actor("twin"); });
    });
    say(std::to_string(troupe::find_actors("twin").size()) + " twins");
    troupe::wait_for_actor("twin");
    n.cancel();
  });
  say(std::to_string(troupe::find_actors("twin").size()) + " twins");
}

// Says who joins and leaves, and why that is not known any more: by an error alone, not by the end
// of the events as well.
void watch(const std::string& prefix) {
  try {
    troupe::watch_actors(prefix, [](troupe::ActorEvents& events) {
      for (;;) {
        const troupe::ActorEvent event = events.receive();
        say(event.uid().name + (event.joined() ? " has joined" : " has left"));
      }
    });
  } catch (const troupe::TransportClosed& closed) {
    say(closed.what());
  }
}

void cancel_arbiter() {
  say(troupe::get_arbiter().cancel_actor() ? "the arbiter has ended"
                                           : "the arbiter is still there");
}

// A program that has joined nothing calls on another program's arbiter.
void drop_in_on(const std::string& arbiter) {
  say(troupe::get_arbiter(arbiter).run<&toast>());
  say(troupe::find_actor("host") ? "the host is in my tree" : "the host is in another tree");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "attend";
  const Guest guest{argc > 2 ? argv[2] : "", argc > 3 ? argv[3] : "guest"};
  if (role == "daemon") return troupe::run_daemon(argc, argv, {party}, guest.options());
  troupe::RunOptions visitor = guest.options();
  visitor.name = "visitor";
  const std::map<std::string, std::function<void()>> roles = {
      {"visit", [&] { visit(guest.name); }},
      {"pester", [&] { say(std::to_string(pester(guest.name)) + " answers"); }},
      {"have_pestered",
       [&] {
         const int answers = troupe::wait_for_actor("host").run<&pester>(guest.name);
         say(std::to_string(answers) + " answers");
       }},
      {"converse", [&] { converse(guest.name); }},
      {"visit_by_child", [&] { visit_by_child(guest.name); }},
      {"look_for", [&] { look_for(guest.name); }},
      {"keep_looking_for", [&] { keep_looking_for(guest.name); }},
      {"start_while_stopped", [&] { start_while_stopped(guest.name); }},
      {"send_abroad", [&] { send_abroad(guest.name); }},
      {"watch", [&] { watch(guest.name); }},
      {"be_many", [&] { be_many(std::stoi(guest.name)); }},
      {"cancel_arbiter", [] { cancel_arbiter(); }},
      {"drop_in_on", [&] { drop_in_on(guest.name); }},
  };
  const auto visiting = roles.find(role);
  if (visiting != roles.end()) return troupe::run(argc, argv, std::move(visitor), visiting->second);
  if (role == "attend_with_child") {
    return troupe::run(argc, argv, guest.options(), &attend_with_child);
  }
  if (role == "stay_and_return") {
    return troupe::run(argc, argv, guest.options(), &stay_and_return);
  }
  return troupe::run(argc, argv, guest.options(), &attend);
}
