// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table of an actor, which all its tasks share, and what it begins with. A parent writes the
// beginning down in the options of a child; from there on the two have nothing to do with each
// other.

#include <any>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "troupe/runtime/base/bytes.h"
#include "troupe/runtime/rpc/codec.h"
#include "troupe/runtime/rpc/function.h"

namespace troupe {

namespace detail {

template <class T>
struct StoredAs {
  using Type = T;
};
template <>
struct StoredAs<const char*> {
  using Type = std::string;
};
template <>
struct StoredAs<char*> {
  using Type = std::string;
};
template <>
struct StoredAs<std::string_view> {
  using Type = std::string;
};
/// What a table keeps of a `T`: the value, or a string for text that lies elsewhere.
template <class T>
using Stored = typename StoredAs<std::decay_t<T>>::Type;

/// How the child decodes a type that some options of this program give along; linked into a list
/// before `main`, so that it is the same in every process.
struct StateType {
  const std::type_info* type;
  std::any (*decode)(BytesView octets);
  StateType* next = nullptr;
};

bool link_state_type(StateType& type) noexcept;

template <class T>
struct StateTypeRegistrar {
  static std::any decode(BytesView octets) { return std::any(decode_value<T>(octets)); }
  static inline constinit StateType record{&typeid(T), &decode};
  static inline const bool registered = link_state_type(record);
};

}  // namespace detail

/// A key and a value that a table begins with, encoded where it is written down. A value that
/// crosses processes.
struct StateEntry {
  StateEntry() = default;
  /// Any value that a function of an actor could take. Implicit, for `{{"doggy", 10}}`.
  template <class T>
  StateEntry(std::string name, const T& value)  // NOLINT(google-explicit-constructor)
      : key(std::move(name)), type(detail::signature_text(typeid(detail::Stored<T>))) {
    using V = detail::Stored<T>;
    static_assert(std::is_copy_constructible_v<V>,
                  "a value of a statespace must be copyable: get() gives a copy");
    static_cast<void>(detail::Use<detail::StateTypeRegistrar<V>::registered>{});
    if constexpr (std::is_same_v<V, T>) {
      octets = encode(value);
    } else {
      octets = encode(V(value));
    }
  }

  std::string key;   ///< Under which it stands.
  std::string type;  ///< The name of its type.
  Bytes octets;      ///< The value.

  template <class Archive>
  void serialize(Archive& archive) {
    archive(key, type, octets);
  }
};

/// What the table of an actor begins with, as in `.statespace = {{"doggy", 10}, {"name", "rex"}}`.
/// A value; string literals become `std::string`.
class InitialState {
 public:
  /// Nothing.
  InitialState() = default;
  /// Those entries; of several with one key the last counts.
  InitialState(std::initializer_list<StateEntry> entries) : entries_(entries) {}

  /// Adds an entry.
  template <class T>
  void set(std::string key, const T& value) {
    entries_.emplace_back(std::move(key), value);
  }
  /// All of them.
  const std::vector<StateEntry>& entries() const noexcept { return entries_; }

 private:
  std::vector<StateEntry> entries_;
};

/// An actor's table: values of any copyable types by name, shared by the tasks of the actor and by
/// nobody else. What is written here never leaves the actor. Resource of the actor; nothing here
/// waits.
class StateSpace {
 public:
  /// For the runtime: the table of the actor `owner`.
  StateSpace(std::string owner, std::vector<StateEntry> entries);
  StateSpace(const StateSpace&) = delete;
  StateSpace& operator=(const StateSpace&) = delete;

  /// A copy of the value. Throws `UsageError` when there is none, or one of another type.
  template <class T>
  T get(std::string_view key) const {
    static_assert(std::is_same_v<T, detail::Stored<T>>,
                  "text is kept as std::string: ask for get<std::string>(key)");
    return std::any_cast<const T&>(find(key, typeid(T)));
  }
  /// Writes a value, of any type, in the place of what was there.
  template <class T>
  void set(std::string key, T&& value) {
    using V = detail::Stored<T>;
    static_assert(std::is_copy_constructible_v<V>,
                  "a value of a statespace must be copyable: get() gives a copy");
    put(std::move(key), std::any(std::in_place_type<V>, std::forward<T>(value)));
  }
  /// Whether there is a value.
  bool contains(std::string_view key) const;
  /// Removes a value; false when there was none.
  bool erase(std::string_view key);

 private:
  // Decoded when it is asked for: only then it is certain that this program knows the type.
  struct Slot {
    std::any value;
    std::string type;
    Bytes octets;
  };

  const std::any& find(std::string_view key, const std::type_info& type) const;
  void put(std::string key, std::any value);
  [[noreturn]] void throw_other_type(std::string_view key, const Slot& slot,
                                     const std::type_info& wanted) const;

  std::string owner_;
  mutable std::map<std::string, Slot, std::less<>> slots_;
};

}  // namespace troupe
