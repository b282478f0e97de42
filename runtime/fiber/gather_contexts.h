// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several things opened at once, used together, and closed at once. For functions that return
// values see gather.h; for things opened one after the other nest their scope functions.

#include <tuple>
#include <type_traits>
#include <utility>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/scope_function.h"

namespace troupe {

namespace detail {

/// What `gather_contexts` has open.
class OpenContexts {
 public:
  explicit OpenContexts(std::size_t count) noexcept : missing_(count) {}

  /// One more is open; returns when all are to be closed.
  void lend_one() {
    if (--missing_ == 0) all_open_.set();
    close_.wait();
  }
  /// Throws when one has ended before it should.
  void require_closing(bool opened) const;
  void wait_until_all_open() { all_open_.wait(); }
  void close() noexcept { close_.set(); }

 private:
  std::size_t missing_;
  Event all_open_;
  Event close_;
};

/// One of them: what `open` lends.
template <class T>
struct OpenContext {
  OpenContexts& all;
  T* value = nullptr;

  static void lend(void* self, void* resource) {
    auto& context = *static_cast<OpenContext*>(self);
    context.value = static_cast<T*>(resource);
    context.all.lend_one();
  }
};

template <class T, class Open>
void serve_context(OpenContext<T>& context, Open& open) {
  open_and_lend<T>(open, UseResource<T>(&context, &OpenContext<T>::lend));
  context.all.require_closing(context.value != nullptr);
}

template <class Body, class Contexts, class Opens, std::size_t... index>
decltype(auto) run_contexts(OpenContexts& all, Body& body, Contexts& contexts, Opens& opens,
                            std::index_sequence<index...>) {
  return open_task_nursery([&](TaskNursery& nursery) -> decltype(auto) {
    const auto start = [&nursery](auto& context, auto& open) {
      nursery.start_soon([&context, &open] { serve_context(context, open); });
    };
    (start(std::get<index>(contexts), std::get<index>(opens)), ...);
    all.wait_until_all_open();
    struct Close {
      OpenContexts& all;
      ~Close() { all.close(); }
    } const close{all};
    return body(*std::get<index>(contexts).value...);
  });
}

template <class Body, class... Opens, std::size_t... index>
decltype(auto) gather_contexts(Body& body, std::tuple<Opens&...> opens,
                               std::index_sequence<index...> indices) {
  OpenContexts all(sizeof...(Opens));
  std::tuple contexts(OpenContext<ResourceType<void, Opens, Body, index>>{all}...);
  return run_contexts(all, body, contexts, opens, indices);
}

}  // namespace detail

/// Opens all of `opens` at once, a task each; when all are open runs `body` with references to what
/// they have opened, in the order of `opens`; closes all at once; returns what the body returns. An
/// opener is a function that returns what it opens, or a scope function (see scope_function.h),
/// whose type then is told by the body's parameter. All are borrowed. Checkpoint. Throws as a
/// nursery does.
///
///     gather_contexts([](Door& front, Door& back) { … }, &open_front_door, &open_back_door);
template <class Body, class FirstOpen, class... Opens>
auto gather_contexts(Body&& body, FirstOpen&& first, Opens&&... others) {
  return detail::gather_contexts(body, std::tie(first, others...),
                                 std::index_sequence_for<FirstOpen, Opens...>());
}

}  // namespace troupe
