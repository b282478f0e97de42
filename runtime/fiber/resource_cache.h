// SPDX-License-Identifier: Apache-2.0
#pragma once

// Resources that tasks share without knowing of each other: the first that asks for a key opens it,
// the last that leaves closes it. A resource lives in a task of the runtime's own, so that it
// matters to nobody which user came first.

#include <concepts>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/base/unique_function.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/run_local.h"
#include "troupe/runtime/fiber/scope_function.h"
#include "troupe/runtime/fiber/system_task.h"

namespace troupe {

namespace detail {

struct InResource;

/// One task's use of a resource.
struct ResourceUse : ListHook<InResource> {
  CancelScope scope;  // cancelled when the resource goes before its users do
};

/// One opening of a resource: everything that does not depend on types. Shared by its users, the
/// table, and the task in which it lives.
class SharedResource {
 public:
  /// Runs `open`, which is to call `lend`, in the resource's task.
  void serve(UniqueFunction<void()>& open);
  /// Lets the users in, and waits until the last has left.
  void lend(void* resource);

  /// Waits until the resource is open, and keeps it open until `leave`. False when it turned out to
  /// be none any more, and is gone now: try again. Throws the error of opening it, at `opener`.
  bool join(bool opener);
  /// Begins to use it.
  void* enter(ResourceUse& use) noexcept;
  /// Ends `use` and `join`. The last user closes the resource, whatever is cancelled, and gets the
  /// error of closing, together with `error`, if any, that ended its use.
  void leave(ResourceUse& use, const std::exception_ptr& error);
  /// Throws why a use was cut short.
  [[noreturn]] void throw_lost();

 private:
  enum class State { opening, open, closing, closed };

  void drop_user() noexcept;
  void lose_users();
  void await_close();
  void throw_error();

  State state_ = State::opening;
  std::size_t users_ = 0;
  bool opener_waits_ = false;
  bool lost_ = false;  // it went before its users did
  bool error_told_ = false;
  void* resource_ = nullptr;
  CancelScope* life_ = nullptr;  // around all of the resource's task
  IntrusiveList<ResourceUse, InResource> uses_;
  Event opened_;  // or failed to
  Event unused_;
  Event closed_;
  std::exception_ptr error_;
};

/// A run's open resources of one type under keys of one type.
template <class Key, class T>
using ResourceTable = std::map<Key, std::shared_ptr<SharedResource>>;

/// The table of this run. Shared with the tasks of its resources, which take themselves out.
template <class Key, class T>
std::shared_ptr<ResourceTable<Key, T>> resource_table() {
  static RunLocal<std::shared_ptr<ResourceTable<Key, T>>> table;
  if (table.get() == nullptr) table.set(std::make_shared<ResourceTable<Key, T>>());
  return table.get();
}

/// What is kept of a key: text by value, everything else as it is.
template <class Key>
using KeptKey = std::conditional_t<std::is_convertible_v<Key, std::string_view>, std::string,
                                   std::decay_t<Key>>;

/// Starts the task of a resource.
template <class T, class Key, class Open>
std::shared_ptr<SharedResource> start_resource(const Key& key, Open&& open) {
  const auto table = resource_table<Key, T>();
  const auto shared = std::make_shared<SharedResource>();
  auto serve = [table, shared, key, open = std::decay_t<Open>(std::forward<Open>(open))]() mutable {
    struct TakeOut {
      ResourceTable<Key, T>& table;
      const Key& key;
      ~TakeOut() { table.erase(key); }
    } const take_out{*table, key};
    UniqueFunction<void()> opening = [&open, &shared] {
      open_and_lend<T>(open, UseResource<T>(shared.get(), [](void* self, void* resource) {
                         static_cast<SharedResource*>(self)->lend(resource);
                       }));
    };
    shared->serve(opening);
  };
  start_system_task("shared resource", std::move(serve));
  table->emplace(key, shared);
  return shared;
}

/// Calls a body with the resource, and whether it was open already, as far as it wants them.
template <class T, class Body>
decltype(auto) call_with_resource(Body& body, T& resource, bool hit) {
  if constexpr (std::invocable<Body&, T&, bool>) {
    return body(resource, hit);
  } else {
    return body(resource);
  }
}

/// Runs a body with a resource that was joined.
template <class T, class Body>
auto use_resource(SharedResource& shared, Body& body, bool hit) {
  ResourceUse use;
  T& resource = *static_cast<T*>(shared.enter(use));
  const auto call = [&]() -> decltype(auto) { return call_with_resource(body, resource, hit); };
  auto result = [&] {
    try {
      return use.scope.run(call);
    } catch (const Cancelled&) {
      shared.leave(use, nullptr);
      throw;
    } catch (...) {
      shared.leave(use, std::current_exception());
      throw;
    }
  }();
  shared.leave(use, nullptr);
  if (!result) shared.throw_lost();
  if constexpr (!std::is_void_v<decltype(call())>) return *std::move(result);
}

}  // namespace detail

/// Runs `body(resource)` or `body(resource, hit)` with a resource that all tasks of this run share
/// which ask for the same `key` (an equal value of the same type) and type of resource; returns
/// what the body returns. The first user opens it by `open`; `hit` is true for those who found it
/// open. The last user that leaves closes it, and waits for that, even when cancelled.
///
/// `open` is copied or moved in, and is one of two:
/// - a function that returns the resource, which its destructor closes;
/// - a scope function: it takes a `UseResource<T>` (or `auto`) and calls it with the resource; what
///   it does before and after opens and closes. `T` is then what `body` takes, or given as
///   `maybe_open_context<T>(…)`.
///
/// It runs in a task of its own that no user's cancellation reaches: what it captures by reference
/// must outlive all users. Checkpoint. Throws what `open` throws before it lends the resource out
/// (at the user that opens; others try anew), what it throws afterwards (at the last user, in place
/// of a cancellation), and `BrokenChannel` when `open` ends, without an error, before its users.
///
///     maybe_open_context("db", [] { return Database("localhost"); },
///                        [&](Database& db) { return db.query("…"); });
///     maybe_open_context(address, [=](auto use) { open_connection(address, use); },
///                        [&](Connection& connection) { connection.send("…"); });
template <class T = void, class Key, class Open, class Body>
auto maybe_open_context(Key&& key, Open&& open, Body&& body) {
  using Resource = detail::ResourceType<T, Open, Body, 0>;
  using Kept = detail::KeptKey<Key>;
  static_assert(std::copyable<Kept> && std::totally_ordered<Kept>,
                "a key is compared with other keys: its type must be copyable and have == and <");
  const Kept kept(std::forward<Key>(key));
  for (;;) {
    checkpoint_if_cancelled();
    const auto table = detail::resource_table<Kept, Resource>();
    const auto found = table->find(kept);
    const bool hit = found != table->end();
    const auto shared =
        hit ? found->second
            : detail::start_resource<Resource, Kept>(kept, std::forward<Open>(open));
    if (shared->join(!hit)) return detail::use_resource<Resource>(*shared, body, hit);
    if (!hit) shared->throw_lost();
  }
}

}  // namespace troupe
