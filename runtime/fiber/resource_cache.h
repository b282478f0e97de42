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
#include <vector>

#include "troupe/runtime/base/intrusive_list.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/run_local.h"
#include "troupe/runtime/fiber/scope_function.h"
#include "troupe/runtime/fiber/system_task.h"

namespace troupe {

namespace detail {

struct InResource;

/// One user of a resource, while it uses it.
struct ResourceUser : ListHook<InResource> {
  CancelScope scope;  // cancelled when the resource goes before its users do
};

/// One opening of a resource: everything that does not depend on types. Shared by its users, the
/// table and the task in which it lives.
class SharedResource {
 public:
  /// What `join` has found.
  enum class Joined { open, gone };

  /// Runs in the resource's task: `open` lends the resource out by calling `lend`.
  void serve(UniqueFunction<void()>& open);
  /// Publishes the resource and waits until nobody uses it.
  void lend(void* resource);

  /// Becomes a user: waits until it is open. `gone`: it has failed to open for somebody else, or is
  /// being closed; it has been waited for, and one should try again. Throws the error of opening.
  Joined join(bool opener);
  /// Begins to use it.
  void enter(ResourceUser& user) { inside_.push_back(user); }
  /// Ends using it, and joining: the last user closes it, whatever is cancelled, and gets the error
  /// of closing. `error` is what ended the use, if anything; it leaves together with that.
  void leave(ResourceUser& user, std::exception_ptr error);
  /// Throws why a use was cut short.
  [[noreturn]] void throw_lost();

  void* resource() const noexcept { return resource_; }
  bool closed() const noexcept { return state_ == State::closed; }

 private:
  enum class State { opening, open, closing, closed };

  void lose_users() noexcept;
  void drop_user() noexcept;
  void await_close();
  void throw_error();

  State state_ = State::opening;
  std::size_t users_ = 0;
  bool opener_waits_ = false;
  bool lost_ = false;
  void* resource_ = nullptr;
  CancelScope* opening_ = nullptr;
  IntrusiveList<ResourceUser, InResource> inside_;
  Event opened_;
  Event unused_;
  Event closed_;
  std::exception_ptr error_;
};

/// A run's open resources of one type, by one type of key.
template <class Key, class T>
using ResourceTable = std::map<Key, std::shared_ptr<SharedResource>>;

template <class Key, class T>
struct OpenResources {
  // Shared pointer: values of `RunLocal` are copied in and constant; the table is neither.
  static inline RunLocal<std::shared_ptr<ResourceTable<Key, T>>> table;

  static std::shared_ptr<ResourceTable<Key, T>> of_this_run() {
    if (table.get() == nullptr) table.set(std::make_shared<ResourceTable<Key, T>>());
    return table.get();
  }
};

/// What is kept of a key: text by value, everything else as it is.
template <class Key>
using KeptKey = std::conditional_t<std::is_convertible_v<Key, std::string_view>, std::string,
                                   std::decay_t<Key>>;

/// Starts the task of a resource.
template <class T, class Key, class Open>
std::shared_ptr<SharedResource> start_resource(Key key, Open&& open) {
  const auto table = OpenResources<Key, T>::of_this_run();
  const auto shared = std::make_shared<SharedResource>();
  start_system_task(
      "shared resource", [table, shared, key, open = std::decay_t<Open>(std::forward<Open>(open))]() mutable {
        UniqueFunction<void()> opening = [&] {
          open_and_lend<T>(open, UseResource<T>(shared.get(), [](void* self, void* resource) {
            static_cast<SharedResource*>(self)->lend(resource);
          }));
        };
        struct Forget {
          ResourceTable<Key, T>& table;
          const Key& key;
          ~Forget() { table.erase(key); }
        };
        {
          const Forget forget{*table, key};
        }
        shared->serve(opening);
      });
  table->emplace(std::move(key), shared);
  return shared;
}

}  // namespace detail

}  // namespace troupe
