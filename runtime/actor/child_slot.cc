// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/child_slot.h"

#include <algorithm>
#include <utility>

#include "troupe/ipc/errors.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/actor/child_actor.h"
#include "troupe/runtime/actor/supervision.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/timeouts.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

// A delay is doubled this often at the most.
constexpr int most_doublings = 6;

// A nursery that is cancelled ends all its actors at once. One that was using another, and hears of
// that one's end before its own, has not failed.
bool comes_of_our_cancellation(const std::exception_ptr& error) {
  if (error == nullptr) return false;
  try {
    std::rethrow_exception(error);
  } catch (const RemoteActorError& remote) {
    if (!remote.is<ContextCancelled>()) return false;
    try {
      std::rethrow_exception(remote.unwrap());
    } catch (const ContextCancelled& cancelled) {
      return cancelled.canceller() == Actor::current().uid();
    } catch (...) {
      return false;
    }
  } catch (...) {
    return false;
  }
}

}  // namespace

ChildSlot::ChildSlot(Actor& actor, Supervision& supervision, ChildPlan plan, std::size_t order)
    : actor_(actor),
      supervision_(supervision),
      plan_(std::move(plan)),
      order_(order),
      peer_(std::make_shared<SupervisedPeer>(actor.config().cancel_grace,
                                             plan_.restart != Restart::temporary)) {
  info_.restart = plan_.restart;
  info_.one_shot = plan_.outcome != nullptr;
}

ChildSlot::~ChildSlot() = default;

void ChildSlot::run(UniqueFunction<void()> started) {
  struct Finish {
    ChildSlot& slot;
    ~Finish() { slot.finish(); }
  } const finish{*this};
  peer_->end_for_good = [this](std::chrono::nanoseconds timeout) { end_for_good(timeout); };
  while (!over_) {
    ChildActor child(actor_, plan_.options, plan_.functions);
    link_ = child.link();
    link_->followed = peer_;
    link_->end_for_good = [this](std::chrono::nanoseconds timeout) { end_for_good(timeout); };
    info_.uid = link_->uid;
    if (!come_up(child)) continue;
    if (!std::exchange(was_up_, true)) {
      supervision_.add(*this);
      started();
    }
    serve(child);
  }
}

void ChildSlot::finish() {
  over_ = true;
  if (round_) std::exchange(round_, nullptr)->leave(*this);
  if (was_up_) supervision_.remove(*this);
  settle(std::make_exception_ptr(TransportClosed(
      TransportClosed::Reason::left,
      "actor '" + plan_.options.name + "' was cancelled before its function returned",
      info_.uid.uuid)));
  peer_->end_for_good = nullptr;
  peer_->is_over(link_ && link_->death ? link_->death : last_cause_);
  gone_.set();
}

// What whoever waits for its result gets, unless there is one.
void ChildSlot::settle(std::exception_ptr error) {
  if (plan_.outcome) plan_.outcome->settle(std::move(error));
}

// ---- What others want of it ----

void ChildSlot::join(const std::shared_ptr<RestartRound>& round) {
  if (over_) return round->leave(*this);
  if (round_) round_->leave(*this);
  round_ = round;
  if (plan_.restart == Restart::temporary) {
    over_ = true;  // it comes down with the others, and stays away
  } else {
    ++info_.restarts;
    peer_->went_down();
  }
  if (attempt_ != nullptr) attempt_->cancel("it is to be started once more");
  link_->stop_for(Stop::restart);
}

void ChildSlot::close(const std::exception_ptr& error) {
  over_ = true;
  last_cause_ = error;
  settle(error);
}

void ChildSlot::on_body_end() {
  if (returned_) return leave();
  if (plan_.outcome) plan_.outcome->close_unread();
}

void ChildSlot::end_for_good(std::chrono::nanoseconds timeout) {
  link_->least_grace = std::max(link_->least_grace, timeout);
  leave();
}

void ChildSlot::leave() noexcept {
  over_ = true;
  if (attempt_ != nullptr) attempt_->cancel();
  link_->stop_for(Stop::left);
}

// ---- Coming up ----

// Returns whether the incarnation serves. If not, it is told already how it goes on: by a round, or
// by the child being over.
bool ChildSlot::come_up(ChildActor& child) {
  if (round_) round_->down(*this);
  CancelScope scope;
  attempt_ = &scope;
  struct Attempt {
    CancelScope*& attempt;
    ~Attempt() { attempt = nullptr; }
  };
  std::exception_ptr failed;
  {
    const Attempt ends{attempt_};
    failed = attempt(child, scope);
  }
  if (scope.cancel_called()) {  // perhaps a moment after it had come up
    if (!failed && !scope.cancelled_caught()) child.end();
    return false;
  }
  if (failed) {
    if (!was_up_) std::rethrow_exception(failed);
    supervision_.on_end(*this, failed);
    return false;
  }
  if (round_) {
    round_->up(*this);
    round_.reset();
  }
  returned_ = false;
  peer_->came_up(child.peer());
  return true;
}

// Waits until it is the child's turn, and starts it. Returns why it cannot be started again.
std::exception_ptr ChildSlot::attempt(ChildActor& child, CancelScope& scope) {
  try {
    scope.run([&] {
      if (const std::shared_ptr<RestartRound> round = round_) {
        round->wait_for_turn(*this, next_delay());
      }
      child.spawn();
    });
  } catch (const std::exception&) {
    return std::current_exception();
  }
  return nullptr;
}

// Doubled for each further restart within the period.
std::chrono::nanoseconds ChildSlot::next_delay() {
  const RestartLimits& limits = supervision_.limits();
  const TimePoint now = current_time();
  if (restarts_in_a_row_ > 0 && now - last_restart_ > limits.period) restarts_in_a_row_ = 0;
  last_restart_ = now;
  Duration delay = plan_.options.backoff.value_or(limits.backoff);
  for (int i = 0; i < std::min(restarts_in_a_row_, most_doublings); ++i) {
    delay = delay > Duration::max() / 2 ? Duration::max() : delay * 2;
  }
  ++restarts_in_a_row_;
  return delay;
}

// ---- Serving ----

void ChildSlot::serve(ChildActor& child) {
  const std::unique_ptr<MainCall> call = call_main(child);
  try {
    wait_for_stop(child);
    if (link_->stop == Stop::restart) {
      if (const std::shared_ptr<RestartRound> round = round_) round->wait_for_later(*this);
    }
  } catch (const Cancelled&) {
    bury(child, call.get(), true);
    throw;
  }
  bury(child, call.get(), false);
  if (!round_) over_ = true;  // it ended in order, which is for good
}

std::unique_ptr<MainCall> ChildSlot::call_main(ChildActor& child) {
  if (!plan_.outcome) return nullptr;
  Bytes call = plan_.restart == Restart::temporary ? std::move(plan_.call) : Bytes(plan_.call);
  return std::make_unique<MainCall>(child.peer()->connection(), std::move(call), link_,
                                    plan_.outcome);
}

// When the function has returned, the actor keeps serving: siblings may call each other, whichever
// returned first, until the body has ended.
void ChildSlot::wait_for_stop(ChildActor& child) {
  for (;;) {
    child.wait();
    if (link_->stop != Stop::no) return;
    link_->returned = false;
    returned_ = true;
    supervision_.on_end(*this, nullptr);
    if (!round_ && supervision_.body_ended()) leave();
  }
}

// Whether the process has ended before it was asked to. One whose connection is gone ends in a
// moment, as a rule: only between hosts may the network have been at fault.
bool ChildSlot::has_ended_by_itself(ChildActor& child) {
  const bool lost =
      link_->stop == Stop::lost || (link_->disconnected.is_set() && !link_->took_leave);
  if (lost) child.wait_for_process(verdict_limit);
  return child.has_ended();
}

// What the function has thrown, if that is an error of its own.
std::exception_ptr ChildSlot::error_of(const MainCall* call, bool cancelled) {
  if (call == nullptr || (cancelled && comes_of_our_cancellation(call->error()))) return nullptr;
  return call->error();
}

// Ends what is left of the incarnation. An error of the function is told at once, so that others
// need not wait for that; then how the process ended, if it did by itself.
void ChildSlot::bury(ChildActor& child, const MainCall* call, bool cancelled) {
  CancelScope shield({.shield = true});
  shield.run([&] {
    end_and_report(child, call, cancelled);
    child.leave_directory();
  });
}

void ChildSlot::end_and_report(ChildActor& child, const MainCall* call, bool cancelled) {
  const bool by_itself = has_ended_by_itself(child);
  std::exception_ptr error = error_of(call, cancelled);
  if (!error && link_->stop == Stop::lost && !by_itself) error = call->cut_off();
  if (error) report(error);
  if (!by_itself) {
    if (cancelled) supervision_.wait_for_later(*this);
    child.end();
  }
  const std::exception_ptr death = child.verdict();
  if (error) return;
  if ((error = error_of(call, cancelled))) return report(error);  // its last words
  if (death) return report(death);
  if (call == nullptr || link_->stop == Stop::restart) return;
  if (call->cut_off()) settle(call->cut_off());
  if (call->error()) settle(call->error());
}

void ChildSlot::report(const std::exception_ptr& error) {
  if (!round_) return supervision_.on_end(*this, error);
  // The restart of another one has been quicker, and takes this one along.
  log_message(LogLevel::info, "actor",
              "while it is restarted together with others:\n" + describe_error(error, 2));
}

}  // namespace troupe
