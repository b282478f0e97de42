// SPDX-License-Identifier: Apache-2.0

// One use of every public name about actors, with nothing but troupe.h included of troupe, and
// written as a reader of the documents writes it. It is compiled; that it works is other tests'
// affair. Tasks: umbrella_names_test.cc.

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

#include "troupe/troupe.h"

using namespace std::chrono_literals;  // NOLINT: for 1s

namespace stage {

struct NoSuchPlay : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Line {
  std::string who;
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(who, number);
  }
};

struct PingPong {
  using Started = int;
  using ToCallee = std::string;
  using ToCaller = std::string;
};

int twice(int n) { return 2 * n; }
int pick(std::vector<int> from) noexcept { return from.empty() ? 0 : from.front(); }
double pick(double from) { return from; }
std::string recite(const Line& line) { return line.who; }
void lines(troupe::Sink<std::string> out) { out.send("bubbles"); }
int rehearse(troupe::Context<PingPong>& ctx, int data) {
  ctx.started(data + 1);
  ctx.open_stream([](troupe::Stream<std::string, std::string>& stream) {
    for (const std::string& message : stream) stream.send(message);
  });
  troupe::current_ipc_ctx().cancel_called();
  return data;
}

inline const auto& theatre = troupe::module<"theatre", &twice, &recite>;
inline const auto registered = troupe::register_error<NoSuchPlay>();

// What a program does with actors, in one place.
void play() {
  troupe::open_nursery([](troupe::ActorNursery& n) {
    troupe::TaskNursery& tasks = n;
    tasks.start_soon([] {});
    n.start_soon("a task", [] {});
    n.start<int>([](troupe::TaskStatus<int>& status) { status.started(1); });
    auto one_shot = n.run_in_actor<&twice>("worker", 30);
    const troupe::ResultPortal<int> same = n.run_in_actor(troupe::fn<&twice>, "worker", 30);
    const int value = one_shot.result() + same.result();
    auto chosen = n.run_in_actor<static_cast<int (*)(std::vector<int>) noexcept>(&pick)>(
        troupe::ActorOptions{.name = "picker"}, std::vector{value});
    chosen.cancel_actor();
    n.run_in_actor<&twice>({.name = "worker", .shutdown = 1s}, 1);
    n.run_in_actor(troupe::fn<&twice>, {.name = "worker"}, 1);
    n.run_in_actor<&lines>("reader").result(
        [](troupe::ReceiveStream<std::string>& letters) { letters.receive(); });

    troupe::Portal frank = n.start_actor("frank", {.enable_modules = {theatre}});
    const std::string text = frank.run<&recite>(Line{"Hamlet", 1});
    frank.run<int>("theatre.twice", 1);
    frank.open_stream<&lines>([](troupe::ReceiveStream<std::string>& letters) {
      for (const std::string& letter : letters) static_cast<void>(letter);
      letters.next();
      letters.subscribe([](auto& values) { values.receive(); });
    });
    frank.open_stream<&lines>(
        troupe::StreamOptions{.overrun = troupe::Overrun::drop_oldest, .buffer = 8},
        [](troupe::ReceiveStream<std::string>& letters) { letters.receive_nowait(); });
    const int r =
        frank.open_context<&rehearse>(10, [](troupe::CallerContext<PingPong, int>& ctx, int first) {
          ctx.open_stream([&](troupe::Stream<std::string, std::string>& stream) {
            stream.send(std::to_string(first));
            stream.receive();
          });
          ctx.cancel();
          return ctx.cancel_called() && ctx.cancel_acked() && ctx.canceller() ? 1 : ctx.result();
        });
    const std::unordered_set<troupe::Portal> known{frank, n.start_actor({.name = text})};
    std::ostringstream out;
    out << frank << frank.uid() << frank.address() << frank.connected() << known.size() << r;
    frank.cancel_actor(1s);
    n.cancel();
  });
}

void supervise() {
  const auto body = [](troupe::ActorNursery& n) {
    n.start_actor("w", {.enable_modules = {troupe::functions<&twice>()},
                        .statespace = {{"doggy", 10}},
                        .restart = troupe::Restart::permanent,
                        .backoff = 1s,
                        .shutdown = 2s,
                        .env = {{"KEY", "value"}}});
  };
  troupe::open_nursery({.supervise = troupe::one_for_one({.intensity = 3, .period = 5s})}, body);
  troupe::open_nursery({.supervise = troupe::one_cancels_all()}, body);
  troupe::open_nursery({.supervise = troupe::one_for_all()}, body);
  troupe::open_nursery({.supervise = troupe::rest_for_one()}, body);
  const troupe::Supervisor own(
      [](const troupe::ChildEnd&, const troupe::Children&) { return troupe::Decision::ignore(); });
  troupe::open_nursery({.supervise = own}, body);
  troupe::open_actor_cluster({.count = 4, .enable_modules = {theatre}},
                             [](const std::vector<troupe::Portal>& all) { return all.size(); });
  static_cast<void>(troupe::to_actor<&twice>(1));
}

void debug() {
  troupe::breakpoint();
  troupe::post_mortem();
  static_cast<void>(troupe::RunOptions{.debug_mode = true});
  static_cast<void>(troupe::ActorOptions{.debug_mode = false});
}

void ask_around() {
  const troupe::Portal service = troupe::wait_for_actor("service");
  const std::optional<troupe::Portal> maybe = troupe::find_actor("service");
  const std::vector<troupe::Portal> all = troupe::find_actors("worker");
  const std::optional<troupe::Address> address = troupe::query_actor("service");
  const troupe::Portal arbiter = maybe ? troupe::get_arbiter() : troupe::get_registry();
  troupe::get_arbiter(troupe::default_arbiter);
  const troupe::Uid first = troupe::watch_actors("worker", [](troupe::ActorEvents& events) {
    for (const troupe::ActorEvent& event : events) {
      if (event.joined() && !event.left()) return event.uid();
    }
    return troupe::Uid{};
  });
  static_cast<void>(first == service.uid());
  const auto self = troupe::current_actor();
  self.statespace().set("key", all.size());
  if (self.statespace().contains("key")) self.statespace().erase("key");
  static_cast<void>(self.statespace().get<int>("doggy"));
  self.on_exit([] {});
  const troupe::Uid& uid = self.uid();
  static_cast<void>(self.name() == uid.name && self.parent_uid() && self.is_root());
  static_cast<void>(self.is_arbiter() && self.pid() > 0 && self.address() == address);
  static_cast<void>(troupe::get_parent() == troupe::get_root() || service == arbiter);
}

void look_at(const troupe::RemoteActorError& error) {
  static_cast<void>(error.boxed_type() + error.boxed_message() + error.traceback());
  static_cast<void>(error.src_uid() == error.relay_path().front());
  if (error.is<std::out_of_range>()) error.rethrow_boxed();
}

void look_at(const troupe::ActorDied& died, const troupe::ContextCancelled& cancelled) {
  static_cast<void>(died.pid() + died.exit_code() + died.signal());
  static_cast<void>(cancelled.canceller().name);
}

void log() {
  const troupe::log::Logger log = troupe::log::get_console_log("trace");
  log.info("done ", 1);
  troupe::log::get_logger("name").error("sorry");
  troupe::log::set_sink([](const auto&) {});
}

int programs(int argc, char** argv) {
  const troupe::RunOptions options{};
  troupe::init(argc, argv);
  troupe::run(argc, argv, [] {});
  troupe::run(argc, argv, {.name = "root", .start_method = troupe::StartMethod::forkserver},
              [] { return 0; });
  troupe::run(argc, argv, {.start_method = troupe::Launcher{.argv = {"ssh", "host", "{exe}"}}},
              [] {});
  troupe::run([] {});
  troupe::run({.cancel_grace = 1s}, [] { return 0; });
  troupe::run_daemon(argc, argv, {theatre},
                     {.name = "theatre", .arbiter_addr = "tcp://127.0.0.1:1616"});
  const troupe::CompletedProcess day =
      troupe::run_process({"date", "+%A"}, {.out = troupe::ProcessIo::capture});
  return troupe::open_root_actor({.enable_modules = {theatre}}, [&] { return day.status.code; });
}

}  // namespace stage

namespace {

TEST(UmbrellaActorNamesTest, ModulesKnowTheirFunctions) {
  EXPECT_EQ(stage::theatre.name(), "theatre");
  EXPECT_EQ(stage::theatre.names().size(), 2u);
  EXPECT_TRUE(stage::registered);
  EXPECT_EQ(troupe::fn<&stage::twice>(2), 4);
}

}  // namespace
