// SPDX-License-Identifier: Apache-2.0

// Dialogs of all kinds at once over two sessions, in an order drawn from a seed: messages take
// their time, connections are cut or left, actors are stopped, callers lose patience, either side
// cancels, fails, leaves early or swallows its cancellation. Whatever happens, each dialog has one
// outcome, nothing is left at either end, values come in order and without gaps, and nobody waits
// for ever.
//
// Everything is drawn from the seed, which a failure prints: TROUPE_FUZZ_SEED chooses the first
// one, TROUPE_FUZZ_ROUNDS how many dialogs are to be played.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/tests/rpc/dialog_pair.h"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::DialogPair;
using testing::Side;

struct Item {
  int number = 0;
  std::string padding;
};

struct Exchange {
  using Started = int;
  using ToCallee = Item;
  using ToCaller = Item;
};
using ItemStream = Stream<Item, Item>;

class PeerDied : public Error {
 public:
  using Error::Error;
};

// One direction of a dialog's stream.
struct Flow {
  int sent = 0;           // by the sender, so far
  int next = 0;           // the number that the receiver expects
  bool dropping = false;  // the receiver drops what it is too slow for
  bool ended = false;     // the receiver has come to the end, and that was in order
};

struct Record {
  Flow to_callee, to_caller;
  bool is_context = false;
  int outcomes = 0;
};

// A connection, some dialogs over it, and their fate.
class Round {
 public:
  explicit Round(std::uint64_t seed);
  ~Round();

  void play();
  std::vector<std::string> problems();
  int dialogs() const { return static_cast<int>(records_.size()); }

  // For the functions that are called, and their callers.
  Record& record(int dialog) { return records_[static_cast<std::size_t>(dialog)]; }
  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  bool one_in(std::uint64_t count) { return draw(count) == 0; }
  milliseconds draw_time(std::uint64_t below) { return milliseconds(draw(below)); }
  void dawdle();
  void swallow_cancellation();
  void fail_at_times(const char* where);
  StreamOptions draw_options(Flow& in, bool may_lose);
  template <class S>
  void talk(S& stream, Flow& in, Flow& out, bool begins);
  template <class S>
  void send_one(S& stream, Flow& out);
  template <class S>
  bool receive_all(S& stream, Flow& in, std::uint64_t limit);
  void received(Flow& in, const Item& item);
  void on_log(const LogRecord& record);
  void problem(std::string text) { problems_.push_back(std::move(text)); }

 private:
  Side& side(int index) { return index == 0 ? pair_.connector : pair_.acceptor; }
  void serve(int index);
  void meet_fate();
  void stop_actor(int index);
  bool quiet();
  void open(int dialog);
  void run_dialog(int dialog, const Portal& portal);
  void check_admissible(const std::exception_ptr& error, bool is_context);
  std::exception_ptr explain(std::exception_ptr closed);

  std::mt19937_64 random_;
  DialogPair pair_;
  std::optional<Dispatcher> dispatchers_[2];
  CancelScope* serving_[2] = {};
  Event ready_[2];
  Event closing_;
  std::vector<Record> records_;
  std::vector<std::string> problems_;
  bool connection_ends_ = false;  // on purpose
  bool actor_stops_ = false;
};

Round* current_round = nullptr;

Round::Round(std::uint64_t seed) : random_(seed) { current_round = this; }

Round::~Round() { current_round = nullptr; }

// ---- What both sides do ----

void Round::dawdle() {
  const std::uint64_t how = draw(8);
  if (how == 0) checkpoint();
  if (how == 1) sleep(draw_time(4));
}

void Round::swallow_cancellation() {
  try {
    sleep(draw_time(30));
  } catch (const Cancelled&) {
  }
}

void Round::fail_at_times(const char* where) {
  if (one_in(8)) throw std::out_of_range(where);
}

// Who answers each value with one must not lose any, or both sides wait for ever.
StreamOptions Round::draw_options(Flow& in, bool may_lose) {
  StreamOptions options;
  options.buffer = draw(5);
  const std::uint64_t overrun = may_lose ? draw(6) : 0;
  if (overrun == 4) options.overrun = Overrun::raise;
  if (overrun == 5) options.overrun = Overrun::drop_oldest;
  in.dropping = overrun == 5;
  return options;
}

template <class S>
void Round::send_one(S& stream, Flow& out) {
  const std::size_t padding = one_in(400) ? 100'000 : draw(20);
  const Item item{out.sent, std::string(padding, 'x')};
  if (!one_in(8) || !stream.try_send(item)) stream.send(item);
  ++out.sent;
}

void Round::received(Flow& in, const Item& item) {
  if (item.number < in.next || (!in.dropping && item.number != in.next)) {
    problem("value " + std::to_string(item.number) + " where " + std::to_string(in.next) +
            " was expected");
  }
  in.next = item.number + 1;
}

// Whether the end was reached, before `limit` values were.
template <class S>
bool Round::receive_all(S& stream, Flow& in, std::uint64_t limit) {
  for (std::uint64_t count = 0; count < limit; ++count) {
    const std::optional<Item> item = stream.next();
    if (!item) {
      in.ended = true;
      return true;
    }
    received(in, *item);
    dawdle();
  }
  return false;
}

// One side of a context's stream. Of two sides that only answer, none would begin.
template <class S>
void Round::talk(S& stream, Flow& in, Flow& out, bool begins) {
  const std::uint64_t count = draw(6);
  if (in.dropping || one_in(2)) {  // both directions at once
    open_task_nursery([&](TaskNursery& n) {
      n.start_soon([&] {
        for (std::uint64_t i = 0; i < count; ++i) send_one(stream, out);
        stream.close_send();
      });
      n.start_soon([&] {
        if (!receive_all(stream, in, one_in(4) ? draw(4) : 1000)) n.cancel();
      });
    });
  } else if (begins || one_in(2)) {  // one value for one value
    for (std::uint64_t i = 0; i < count; ++i) {
      send_one(stream, out);
      received(in, stream.receive());
    }
  } else {
    while (const std::optional<Item> item = stream.next()) {
      received(in, *item);
      send_one(stream, out);
      if (one_in(10)) return;
    }
    in.ended = true;
  }
}

// ---- What is called ----

int compute(int dialog) {
  Round& round = *current_round;
  round.dawdle();
  round.fail_at_times("compute");
  if (round.one_in(4)) round.swallow_cancellation();
  if (round.one_in(4)) sleep(round.draw_time(20));
  round.fail_at_times("compute");
  return dialog;
}

void pour(Sink<Item> out, int dialog) {
  Round& round = *current_round;
  const bool endless = round.one_in(6);
  const std::uint64_t count = round.one_in(4) ? 40 : round.draw(8);
  for (std::uint64_t i = 0; endless || i < count; ++i) {
    round.send_one(out, round.record(dialog).to_caller);
    round.dawdle();
    if (endless) sleep(1ms);
  }
  round.fail_at_times("pour");
  if (round.one_in(6)) round.swallow_cancellation();
}

int exchange(Context<Exchange>& ctx, int dialog) {
  Round& round = *current_round;
  Record& record = round.record(dialog);
  round.dawdle();
  round.fail_at_times("before started");
  if (round.one_in(12)) return dialog;  // a UsageError
  if (round.one_in(12)) ctx.cancel();
  ctx.started(dialog);
  round.dawdle();
  if (!round.one_in(6)) {
    const bool may_lose = round.one_in(3);
    ctx.open_stream(round.draw_options(record.to_callee, may_lose), [&](ItemStream& stream) {
      round.talk(stream, record.to_callee, record.to_caller, false);
    });
  }
  round.fail_at_times("after the stream");
  if (round.one_in(12)) ctx.cancel();
  if (round.one_in(6)) round.swallow_cancellation();
  return dialog;
}

const std::vector<const FunctionEntry*>& entries() {
  static const auto* all =
      new std::vector<const FunctionEntry*>(functions<&compute, &pour, &exchange>().functions());
  return *all;
}

// ---- What the callers do ----

void call(Round& round, const Portal& portal, int dialog) {
  if (portal.run<&compute>(dialog) != dialog) round.problem("a wrong result");
}

void receive_with_two(Round& round, ReceiveStream<Item>& stream, const Flow& in) {
  Flow flows[2] = {in, in};
  open_task_nursery([&](TaskNursery& n) {
    for (Flow& flow : flows) {
      n.start_soon([&round, &stream, &flow] {
        stream.subscribe([&](StreamSubscription<Item>& values) {
          // It may have begun later than its sibling.
          if (std::optional<Item> first = values.next()) {
            flow.next = first->number + 1;
            round.receive_all(values, flow, 100);
          }
        });
      });
    }
  });
}

void stream(Round& round, const Portal& portal, int dialog) {
  Flow& in = round.record(dialog).to_caller;
  const StreamOptions options = round.draw_options(in, true);
  portal.open_stream<&pour>(options, dialog, [&](ReceiveStream<Item>& values) {
    round.dawdle();
    if (round.one_in(12)) throw std::domain_error("by the plan");
    if (round.one_in(5)) return receive_with_two(round, values, in);
    round.receive_all(values, in, round.one_in(3) ? round.draw(10) : 100);
    if (!round.one_in(8)) return;
    values.close();
    while (const std::optional<Item> item = values.next()) round.received(in, *item);
  });
}

// Cancels the context from another task, while that of the body waits.
void cancel_from_aside(Round& round, CallerContext<Exchange, int>& ctx) {
  open_task_nursery([&](TaskNursery& n) {
    n.start_soon([&] {
      round.dawdle();
      ctx.cancel();
    });
    sleep(round.draw_time(50));
  });
}

void converse(Round& round, const Portal& portal, int dialog) {
  Record& record = round.record(dialog);
  portal.open_context<&exchange>(dialog, [&](CallerContext<Exchange, int>& ctx, int first) {
    if (first != dialog) round.problem("a wrong first word");
    round.dawdle();
    if (round.one_in(12)) throw std::domain_error("by the plan");
    if (round.one_in(12)) ctx.cancel();
    if (round.one_in(12)) cancel_from_aside(round, ctx);
    if (round.one_in(6)) return;
    const bool may_lose = round.one_in(3);
    ctx.open_stream(round.draw_options(record.to_caller, may_lose), [&](ItemStream& stream) {
      round.talk(stream, record.to_caller, record.to_callee, true);
    });
    if (round.one_in(2) && ctx.result() != dialog) round.problem("a wrong result");
    if (round.one_in(8)) ctx.cancel();
    if (round.one_in(12)) throw std::domain_error("by the plan");
  });
}

void Round::run_dialog(int dialog, const Portal& portal) {
  switch (draw(3)) {
    case 0:
      return call(*this, portal, dialog);
    case 1:
      return stream(*this, portal, dialog);
    default:
      record(dialog).is_context = true;
      return converse(*this, portal, dialog);
  }
}

void Round::open(int dialog) {
  dawdle();
  const Portal portal(one_in(2) ? pair_.to_acceptor : pair_.to_connector);
  std::exception_ptr error;
  const auto attempt = [&] {
    try {
      run_dialog(dialog, portal);
    } catch (const Cancelled&) {
      throw;
    } catch (...) {
      error = std::current_exception();
    }
  };
  if (one_in(3)) {
    move_on_after(draw_time(25), attempt);
  } else {
    attempt();
  }
  ++record(dialog).outcomes;
  if (error != nullptr) check_admissible(error, record(dialog).is_context);
}

// ---- The course of a round ----

void Round::serve(int index) {
  open_task_nursery([&](TaskNursery& calls) {
    Dispatcher& dispatcher = dispatchers_[index].emplace(side(index).self(), calls, 1s);
    for (const FunctionEntry* entry : entries()) dispatcher.expose(*entry);
    side(index).serve(dispatcher);
    serving_[index] = &calls.cancel_scope();
    ready_[index].set();
    // A stopped actor still answers those who call it meanwhile.
    CancelScope shield({.shield = true});
    shield.run([&] { closing_.wait(); });
    serving_[index] = nullptr;
  });
}

void Round::stop_actor(int index) {
  if (serving_[index] == nullptr) return;
  actor_stops_ = true;
  dispatchers_[index]->set_canceller(side(1 - index).self());
  serving_[index]->cancel("the actor was asked to end");
}

void Round::meet_fate() {
  if (!one_in(3)) return;
  sleep(draw_time(20));
  const int index = static_cast<int>(draw(2));
  const std::uint64_t fate = draw(4);
  if (fate < 2) return stop_actor(index);
  connection_ends_ = true;
  if (fate == 2) return side(index).say_bye();
  pair_.network.cut(side(index));
  CancelScope shield({.shield = true});  // the other side learns of it, too
  shield.run([&] { sleep(draw_time(5)); });
  pair_.network.cut(side(1 - index));
}

std::exception_ptr Round::explain(std::exception_ptr closed) {
  if (one_in(2)) return closed;
  CancelScope shield({.shield = true});
  shield.run([&] { sleep(draw_time(3)); });
  return std::make_exception_ptr(PeerDied("by the plan"));
}

bool Round::quiet() {
  return pair_.network.idle() && dispatchers_[0]->calls() == 0 && dispatchers_[1]->calls() == 0;
}

void Round::play() {
  records_.resize(1 + draw(3));
  for (const auto& peer : {pair_.to_acceptor, pair_.to_connector}) {
    peer->grace = one_in(4) ? 1ms : 1s;
    peer->on_explain = [this](std::exception_ptr closed) { return explain(std::move(closed)); };
  }
  open_task_nursery([this](TaskNursery& background) {
    background.start_soon("network", [this] { pair_.network.run_at_random(random_); });
    for (int index : {0, 1}) background.start_soon("calls", [this, index] { serve(index); });
    for (Event& ready : ready_) ready.wait();
    background.start_soon("fate", [this] { meet_fate(); });
    fail_after(1h, [this] {
      open_task_nursery([this](TaskNursery& openers) {
        for (int i = 0; i < dialogs(); ++i) openers.start_soon([this, i] { open(i); });
      });
    });
    // Dialogs that were given up end a little later.
    for (int i = 0; !quiet() && i < 10'000; ++i) sleep(1ms);
    if (!quiet()) problem("calls go on after all their callers have ended");
    closing_.set();
    background.cancel();
  });
}

// ---- What may come out, and what not ----

void Round::check_admissible(const std::exception_ptr& error, bool is_context) {
  bool admissible = false;
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    for (const auto& member : group.exceptions()) check_admissible(member, is_context);
    return;
  } catch (const RemoteActorError& remote) {
    admissible = remote.is<std::out_of_range>() || remote.is<BrokenChannel>() ||
                 remote.is<StreamOverrun>() || remote.is<ExceptionGroup>() ||
                 (is_context && remote.is<UsageError>());
  } catch (const std::domain_error&) {
    admissible = true;
  } catch (const BrokenChannel&) {
    admissible = is_context;
  } catch (const StreamOverrun&) {
    admissible = true;
  } catch (const ContextCancelled&) {
    admissible = is_context || actor_stops_;
  } catch (const TransportClosed& closed) {
    admissible = connection_ends_ && closed.reason() != TransportClosed::Reason::violation;
  } catch (const PeerDied&) {
    admissible = connection_ends_;
  } catch (...) {
  }
  if (!admissible) problem("a strange outcome: " + describe_error(error));
}

bool is_violation(const std::exception_ptr& why) {
  try {
    std::rethrow_exception(why);
  } catch (const TransportClosed& closed) {
    return closed.reason() == TransportClosed::Reason::violation;
  }
}

// Callees report what they could not tell: only when nobody is there to be told.
void Round::on_log(const LogRecord& record) {
  if (record.level == LogLevel::error && !connection_ends_) problem(record.text);
}

std::vector<std::string> Round::problems() {
  for (std::string& text : problems_at_end(pair_)) problem(std::move(text));
  for (int i = 0; i < dialogs(); ++i) {
    const std::string name = "opener " + std::to_string(i);
    if (record(i).outcomes != 1) problem(name + " has no outcome");
    for (const Flow& flow : {record(i).to_callee, record(i).to_caller}) {
      if (!flow.ended || flow.dropping || flow.next == flow.sent) continue;
      problem(name + ": of " + std::to_string(flow.sent) + " values " + std::to_string(flow.next) +
              " came before the end");
    }
  }
  for (int index : {0, 1}) {
    const auto& why = side(index).session.why();
    if (why != nullptr && (!connection_ends_ || is_violation(why)))
      problem("the connection ended: " + describe_error(why));
  }
  return problems_;
}

// ---- The test ----

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Plays some rounds in one loop; returns how many dialogs there were.
int play_seed(std::uint64_t seed) {
  testing::VirtualClock clock;
  FiberOptions options;
  options.clock = &clock;
  options.schedule_seed = seed;
  int dialogs = 0;
  const auto play = [&] {
    for (std::uint64_t i = 0; i < 25 && !::testing::Test::HasFailure(); ++i) {
      Round round(seed * 1000 + i);
      round.play();
      for (const std::string& text : round.problems())
        ADD_FAILURE() << "round " << i << ": " << text;
      dialogs += round.dialogs();
    }
  };
  try {
    testing::run(play, options);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
  return dialogs;
}

// MSG-14, and what the file says above.
TEST(DialogFuzzTest, EveryDialogHasOneOutcomeWhateverHappens) {
  set_log_sink([](const LogRecord& record) {
    if (current_round != nullptr) current_round->on_log(record);
  });
  const std::uint64_t target = from_environment("TROUPE_FUZZ_ROUNDS", 100'000);
  // On a slow machine, or under valgrind, fewer will do.
  const auto enough = std::chrono::steady_clock::now() + 40s;
  std::uint64_t dialogs = 0;
  for (std::uint64_t seed = from_environment("TROUPE_FUZZ_SEED", 1);
       dialogs < target && !HasFailure() && std::chrono::steady_clock::now() < enough; ++seed) {
    SCOPED_TRACE("TROUPE_FUZZ_SEED=" + std::to_string(seed));
    dialogs += static_cast<std::uint64_t>(play_seed(seed));
  }
  set_log_sink(nullptr);
  RecordProperty("dialogs", std::to_string(dialogs));
}

}  // namespace
}  // namespace troupe
