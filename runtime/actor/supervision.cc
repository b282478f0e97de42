// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/supervision.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "troupe/runtime/actor/child_slot.h"
#include "troupe/runtime/actor/restart_round.h"
#include "troupe/runtime/base/demangle.h"
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/timeouts.h"

namespace troupe {
namespace {

void log_end(LogLevel level, const ChildSlot& child, const std::string& what,
             const std::exception_ptr& error) {
  if (!log_enabled(level)) return;
  std::string text = "actor '" + child.info().uid.name + "' (pid " + std::to_string(child.pid()) +
                     ") " + (error ? "failed" : "has done its work") + " and is " + what;
  if (error) text += ": " + exception_type_name(error) + ": " + exception_message(error);
  log_message(level, "actor", std::move(text));
}

std::exception_ptr too_often_error(const ChildSlot& child) {
  return std::make_exception_ptr(
      Error("the function of actor '" + child.info().uid.name +
            "' returned so often within a short time that it is not started again; make it "
            "transient, or raise the intensity"));
}

void refuse(const ActorOptions& options, const std::string& what) {
  throw UsageError("actor '" + options.name.substr(0, 64) + "': " + what);
}

}  // namespace

Restart Supervision::restart_of(const ActorOptions& options, bool one_shot) const {
  if (options.shutdown && *options.shutdown < Duration::zero()) {
    refuse(options, "its grace time (shutdown) is negative; use 0 to have it killed at once");
  }
  if (options.backoff && *options.backoff < Duration::zero()) {
    refuse(options, "its backoff is negative; use 0 to start it again at once");
  }
  if (supervisor_.restarts()) {
    return options.restart.value_or(one_shot ? Restart::transient : Restart::permanent);
  }
  if (options.restart.value_or(Restart::temporary) != Restart::temporary) {
    refuse(options,
           "in a nursery in which one failure cancels all, nothing is started again: open it with "
           "{.supervise = one_for_one()} or another strategy that restarts, or leave out .restart");
  }
  return Restart::temporary;
}

std::vector<Uid> Supervision::uids() const {
  std::vector<Uid> uids;
  for (const ChildSlot* child : children_) uids.push_back(child->info().uid);
  return uids;
}

// Children may come up in another order than that in which they were started.
void Supervision::add(ChildSlot& child) {
  const auto place = std::find_if(children_.begin(), children_.end(), [&](const ChildSlot* other) {
    return other->order() > child.order();
  });
  children_.insert(place, &child);
}

void Supervision::remove(ChildSlot& child) noexcept { std::erase(children_, &child); }

void Supervision::on_body_end() {
  body_ended_ = true;
  for (ChildSlot* child : children_) child->on_body_end();
  dismiss_helpers();
}

void Supervision::dismiss_helpers() noexcept {
  if (!body_ended_) return;
  const auto is_helper = [](const ChildSlot* child) { return child->is_helper(); };
  const auto helpers = std::count_if(children_.begin(), children_.end(), is_helper);
  if (static_cast<std::size_t>(helpers) != nursery_.child_count()) return;
  for (ChildSlot* child : children_) child->leave();
}

void Supervision::wait_for_later(ChildSlot& child) {
  // A child whose starter alone is cancelled waits for nobody: the others go on.
  if (!supervisor_.restarts() || !nursery_.cancel_scope().effectively_cancelled()) return;
  for (;;) {
    const auto own = std::find(children_.begin(), children_.end(), &child);
    if (own == children_.end() || own + 1 == children_.end()) return;
    const std::shared_ptr<ChildSlot> later = (*(own + 1))->shared_from_this();
    later->gone().wait();
  }
}

// ---- Decisions ----

Decision Supervision::ask(const ChildSlot& child, const std::exception_ptr& error) const {
  std::vector<const ChildInfo*> infos;
  infos.reserve(children_.size());
  ChildEnd end;
  for (const ChildSlot* each : children_) {
    if (each == &child) end.child = infos.size();
    infos.push_back(&each->info());
  }
  end.uid = child.info().uid;
  end.pid = child.pid();
  end.restart = child.info().restart;
  end.error = error;
  return supervisor_.decide(end, Children(std::move(infos)));
}

void Supervision::on_end(ChildSlot& child, const std::exception_ptr& error) {
  try {
    carry_out(ask(child, error), child, error);
  } catch (const std::exception&) {  // of the strategy
    const std::exception_ptr fault = std::current_exception();
    if (error) fail(child, error);
    give_up(child, fault);
  }
}

void Supervision::carry_out(const Decision& decision, ChildSlot& child,
                            const std::exception_ptr& error) {
  switch (decision.kind()) {
    case Decision::Kind::ignore:
      if (error) drop(child, error);
      return;
    case Decision::Kind::restart:
      return restart(decision, child, error);
    case Decision::Kind::cancel_all:
      if (error) return fail(child, error);
      return nursery_.cancel("the supervisor's decision about actor '" + child.info().uid.name +
                             "'");
    case Decision::Kind::escalate:
      if (error) return give_up(child, error);
      return give_up(
          child, std::make_exception_ptr(Error(
                     "actor '" + child.info().uid.name + "' (pid " + std::to_string(child.pid()) +
                     ") has done its work, at which its supervisor gave up")));
  }
}

void Supervision::drop(ChildSlot& child, const std::exception_ptr& error) {
  log_end(LogLevel::error, child, "not started again", error);
  child.close(error);
}

// Whoever waits for the child's result is told first: the cancellation would end that wait.
void Supervision::fail(ChildSlot& child, const std::exception_ptr& error) {
  if (gave_up_) return drop(child, error);
  child.close(error);
  nursery_.add_error(error);
}

void Supervision::give_up(ChildSlot& child, const std::exception_ptr& error) {
  fail(child, error);
  gave_up_ = true;
}

// ---- Restarts ----

void Supervision::restart(const Decision& decision, ChildSlot& child,
                          const std::exception_ptr& error) {
  if (nursery_.cancel_scope().effectively_cancelled()) {
    if (error) drop(child, error);
    return;
  }
  if (body_ended_ && !error) return;  // it would never come to an end
  const std::vector<ChildSlot*> members = chosen(decision);
  if (child.over() || members.empty()) {
    if (error) drop(child, error);
    return;
  }
  if (too_often()) return give_up(child, error ? error : too_often_error(child));
  const bool included = std::find(members.begin(), members.end(), &child) != members.end();
  if (!included || child.info().restart == Restart::temporary) {
    if (error) drop(child, error);
  } else {
    log_end(error ? LogLevel::warning : LogLevel::info, child, "started again", error);
  }
  const auto round = std::make_shared<RestartRound>(members);
  for (ChildSlot* member : members) member->join(round);
}

// More than `intensity` restarts within `period`, this one included.
bool Supervision::too_often() {
  const TimePoint now = current_time();
  while (!restarts_.empty() && now - restarts_.front() >= limits().period) restarts_.pop_front();
  restarts_.push_back(now);
  return restarts_.size() > static_cast<std::size_t>(limits().intensity);
}

std::vector<ChildSlot*> Supervision::chosen(const Decision& decision) const {
  std::vector<bool> wanted(children_.size());
  for (const std::size_t index : decision.children()) {
    if (index >= wanted.size()) {
      throw UsageError("a supervisor wants to restart child " + std::to_string(index) + " of " +
                       std::to_string(wanted.size()) + "; their numbers are those of the Children");
    }
    wanted[index] = true;
  }
  std::vector<ChildSlot*> members;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (wanted[i]) members.push_back(children_[i]);
  }
  return members;
}

}  // namespace troupe
