// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/bench/simulated_sessions.h"

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "troupe/discovery/registry.h"
#include "troupe/discovery/registry_calls.h"
#include "troupe/ipc/dialog_port.h"
#include "troupe/ipc/session.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"
#include "troupe/runtime/rpc/caller.h"
#include "troupe/runtime/rpc/dispatcher.h"
#include "troupe/runtime/rpc/module.h"
#include "troupe/runtime/rpc/portal.h"
#include "troupe/tools/bench/measure.h"

namespace troupe::bench {
namespace {

using detail::RegistryRecord;

constexpr const char* arbiter_address = "ipc:///run/arbiter";

// How many sessions have something under way at once.
constexpr int batch = 100;

Registry* registry = nullptr;

// As `registry_announce`, for callers who have no process whose end could be noticed.
void announce(const RegistryRecord& record) {
  const DirectoryEntry entry = record.entry();
  if (entry.uid != *detail::current_caller()) throw UsageError("not the caller's own entry");
  registry->add(entry);
}
inline const auto& calls_to_registry = module<"simulated registry", &announce>;

// One end of a session.
class End final : public DialogPort, private SessionEvents {
 public:
  End(SessionConfig config, Dispatcher* dispatcher)
      : session(std::move(config), *this), dispatcher_(dispatcher) {}

  std::uint64_t open_dialog(DialogHandler& handler) override {
    return session.open_dialog(handler);
  }
  void close_dialog(std::uint64_t dialog) noexcept override { session.close_dialog(dialog); }
  void send(FrameKind kind, std::uint64_t dialog, Bytes payload) override {
    session.send(kind, dialog, std::move(payload));
  }
  void send_copy(FrameKind kind, std::uint64_t dialog, BytesView payload) override {
    session.send_copy(kind, dialog, payload);
  }
  void send_value(std::uint64_t dialog, BytesView octets) override {
    session.send_value(dialog, octets);
  }
  std::size_t queued() const noexcept override { return session.queued(); }
  void wait_for_room() override { checkpoint(); }
  const Uid& peer() const noexcept override { return session.peer().uid; }
  const Uid& self() const noexcept override { return session.self(); }

  Session session;

 private:
  void on_established() override {}
  DialogHandler* on_start(std::uint64_t dialog, BytesView payload) override {
    return dispatcher_ == nullptr ? nullptr : dispatcher_->on_start(*this, dialog, payload);
  }
  void on_session_closed(std::exception_ptr) override {}

  Dispatcher* dispatcher_;
};

// An actor, and the arbiter's end of its session.
class Actor final : private DialogHandler {
 public:
  Actor(Uid uid, const Key& key, Dispatcher& arbiter)
      : uid_(std::move(uid)),
        caller_(config(Role::connector, uid_, key), nullptr),
        arbiter_(config(Role::acceptor, arbiter_uid(), key), &arbiter) {}

  void call() {
    carry();
    RegistryRecord record;
    record.name = uid_.name;
    record.uuid = uid_.uuid;
    record.addresses = {"ipc:///run/" + uid_.uuid};
    Bytes request;
    detail::encode_start<&announce>(request, std::nullopt, record);
    dialog_ = caller_.open_dialog(*this);
    caller_.send(FrameKind::start, dialog_, std::move(request));
    carry();
  }
  void carry() {
    while (pass_on(caller_, arbiter_) | pass_on(arbiter_, caller_)) {
    }
  }
  bool answered() const { return answered_; }

  static Uid arbiter_uid() { return {"arbiter", std::string(32, 'a')}; }

 private:
  static SessionConfig config(Role role, Uid uid, const Key& key) {
    SessionConfig config;
    config.role = role;
    config.uid = std::move(uid);
    config.key = key;
    config.nonce = random_nonce();
    config.dialed = arbiter_address;
    config.listens_at = [](const std::string& dialed) { return dialed == arbiter_address; };
    return config;
  }
  static bool pass_on(End& from, End& to) {
    if (!from.session.has_output()) return false;
    Bytes message(from.session.batch_size(), '\0');
    from.session.take_batch(message.data());
    to.session.receive(message);
    return true;
  }
  void on_frame(FrameKind kind, BytesView) override {
    answered_ = kind == FrameKind::ret;
    caller_.close_dialog(dialog_);
  }
  void on_closed(std::exception_ptr) override {}

  Uid uid_;
  End caller_;
  End arbiter_;
  std::uint64_t dialog_ = 0;
  bool answered_ = false;
};

void register_all(std::deque<Actor>& actors, int count, Dispatcher& arbiter) {
  const Key key = Key::random();
  for (int i = 0; i < count; ++i) {
    actors.emplace_back(Uid{"worker-" + std::to_string(i), make_uuid()}, key, arbiter).call();
    if ((i + 1) % batch != 0 && i + 1 != count) continue;
    while (arbiter.calls() != 0) checkpoint();
    for (int k = i - i % batch; k <= i; ++k) actors[static_cast<std::size_t>(k)].carry();
  }
}

}  // namespace

double register_over_sessions(int count) {
  double seconds = 0;
  run_tasks([&] {
    Registry table;
    registry = &table;
    std::deque<Actor> actors;
    open_task_nursery([&](TaskNursery& calls) {
      Dispatcher arbiter(Actor::arbiter_uid(), calls);
      arbiter.expose_with_caller(calls_to_registry);
      seconds = nanoseconds_each(1, [&] { register_all(actors, count, arbiter); }) / 1e9;
    });
    for (const Actor& actor : actors) {
      if (!actor.answered()) throw Error("an actor was not answered");
    }
    if (table.size() != actors.size()) throw Error("an actor was not registered");
  });
  return seconds;
}

}  // namespace troupe::bench
