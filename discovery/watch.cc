// SPDX-License-Identifier: Apache-2.0
#include "troupe/discovery/watch.h"

#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "troupe/discovery/joint_events.h"
#include "troupe/discovery/registry_calls.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/locality.h"
#include "troupe/runtime/actor/actor.h"
#include "troupe/runtime/base/log.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/rpc/errors.h"
#include "troupe/runtime/rpc/portal.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace troupe {
namespace {

using detail::RegistryNews;
using Reason = TransportClosed::Reason;

// What the body may leave unread here; the rest waits at the arbiter.
constexpr std::size_t read_ahead = 64;

// What the tasks of one watch share.
struct Watch {
  Watch(MemorySendChannel<ActorEvent> channel, std::size_t arbiters)
      : events(std::move(channel)), story(arbiters), telling(arbiters) {}

  MemorySendChannel<ActorEvent> events;
  JointEvents story;
  std::size_t telling;              // how many arbiters still tell
  std::set<std::size_t> awaited{};  // those that have neither answered nor failed yet
  Event answered{};                 // none is awaited any more

  void stop_awaiting(std::size_t number) {
    awaited.erase(number);
    if (awaited.empty()) answered.set();
  }
};

// An arbiter may have come back as another program: its address counts.
Portal portal_to(const DirectoryEntry& arbiter) {
  Actor& actor = Actor::booted();
  if (arbiter.uid == actor.uid() || actor.connected_to(arbiter.uid)) return actor.portal(arbiter);
  return actor.portal_at(nearest_first(arbiter.addresses, arbiter.host));
}

void bring_events(Watch& watch, std::size_t number, const DirectoryEntry& arbiter,
                  const std::string& prefix) {
  portal_to(arbiter).open_stream<&detail::registry_watch>(
      prefix, [&](ReceiveStream<std::optional<RegistryNews>>& news) {
        for (const std::optional<RegistryNews>& each : news) {
          if (!each) {
            watch.stop_awaiting(number);
          } else if (const auto event = watch.story.hear(number, each->event())) {
            watch.events.send(*event);
          }
        }
      });
}

// Why an arbiter tells no more, as the watcher is to hear it.
std::exception_ptr explain(const DirectoryEntry& arbiter) {
  const auto closed = [&](Reason reason, const char* why) {
    return std::make_exception_ptr(TransportClosed(
        reason, "the arbiter at " + arbiter.addresses.front().str() +
                    " tells no more who joins and leaves; watch again when it is back: " + why));
  };
  try {
    throw;
  } catch (const RemoteActorError& error) {
    if (!error.is<StreamOverrun>()) return std::current_exception();
    return std::make_exception_ptr(StreamOverrun(error.boxed_message()));
  } catch (const TransportClosed& error) {
    return closed(error.reason(), error.what());
  } catch (const ContextCancelled& error) {
    return closed(Reason::left, error.what());
  } catch (const std::exception&) {
    return std::current_exception();
  }
}

// One of several arbiters that cannot tell is done without.
void do_without(Watch& watch, std::size_t number, const std::exception_ptr& why) {
  if (--watch.telling == 0) std::rethrow_exception(why);
  watch.stop_awaiting(number);
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& error) {
    log_message(LogLevel::warning, "discovery", error.what());
  }
  for (const ActorEvent& event : watch.story.lose(number)) watch.events.send(event);
}

}  // namespace

namespace detail {

ActorEvents start_watching(TaskNursery& nursery, const std::string& prefix) {
  Directory& directory = Actor::booted().directory();
  directory.arbiter();  // at least one must answer, or the error says more
  const std::vector<DirectoryEntry> arbiters = directory.arbiters();
  auto channel = open_memory_channel<ActorEvent>(read_ahead);
  const auto watch = std::make_shared<Watch>(std::move(channel.send), arbiters.size());
  for (std::size_t i = 0; i < arbiters.size(); ++i) {
    watch->awaited.insert(i);
    nursery.start_soon("watch_actors", [watch, i, arbiter = arbiters[i], prefix] {
      std::exception_ptr why;
      try {
        bring_events(*watch, i, arbiter, prefix);
      } catch (const std::exception&) {
        why = explain(arbiter);
      }
      if (why) do_without(*watch, i, why);
    });
  }
  watch->answered.wait();
  return std::move(channel.receive);
}

}  // namespace detail
}  // namespace troupe
