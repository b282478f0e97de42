// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules: named sets of functions, which is what an actor exposes. Write
//
//     inline const auto& theatre = troupe::module<"theatre", &movie_theatre_question, &hi>;
//
// in a header or a source file: naming it registers the functions and the module. An actor runs
// what its modules name and nothing else.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/runtime/rpc/function.h"

namespace troupe {

/// A text as a template argument.
template <std::size_t N>
struct FixedString {
  char text[N]{};  ///< With a zero at its end.

  consteval FixedString(
      const char (&literal)[N]) {  // NOLINT: implicit, "theatre" is what users write
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
};

/// A set of functions, with a name or without. A value, cheap to copy.
class Module {
 public:
  /// The module that the program calls so, wherever it stands; looked up when an actor boots.
  /// Implicit, so that `.enable_modules = {"theatre"}` works.
  Module(const char* name);         // NOLINT
  Module(const std::string& name);  // NOLINT

  /// Its name; empty for `functions<...>()`.
  std::string_view name() const noexcept { return name_; }
  /// Whether it is nothing but a name, and stands for the registered module of that name.
  bool is_reference() const noexcept { return functions_ == nullptr; }
  /// The names of its functions; none if it is a reference.
  std::vector<FunctionName> names() const;
  /// The functions themselves; none if it is a reference.
  std::vector<const FunctionEntry*> functions() const;
  /// Whether it has the function of that key.
  bool contains(std::string_view key) const;

  /// The function of that unqualified name. Throws `ModuleNotExposed` if the module has none, or
  /// several.
  const FunctionEntry& function(std::string_view unqualified) const;

  /// The registered module of that name, or one that `is_reference()` if there is none.
  static Module find(const std::string& name);
  /// Every registered module that names the function of that key.
  static std::vector<Module> naming(std::string_view key);

  /// Two modules are equal when they have the same name and the same functions.
  friend bool operator==(const Module& a, const Module& b) {
    return a.name() == b.name() && a.functions() == b.functions();
  }

  constexpr Module(const char* name, const detail::FunctionRecord* const* functions,
                   std::size_t count)
      : name_(name), functions_(functions), count_(count) {}

 private:
  const char* name_;
  const detail::FunctionRecord* const* functions_ = nullptr;
  std::size_t count_ = 0;
};

namespace detail {

template <FixedString Name, auto... F>
struct ModuleRegistrar {
  using Functions = Types<Use<FunctionRegistrar<F>::registered>...>;
  static inline constinit const FunctionRecord* const functions[] = {
      &FunctionRegistrar<F>::record...};
  static inline constinit ModuleRecord record{Name.text, functions, sizeof...(F), __BASE_FILE__};
  // Sets without a name are found by nobody.
  static inline const bool registered = Name.text[0] == '\0' || link_module(record);
  using Registered = Use<registered>;
};

template <FixedString Name, auto... F>
constexpr Module make_module() {
  static_assert(sizeof...(F) > 0,
                "a module names at least one function: module<\"name\", &function>");
  using Registrar = ModuleRegistrar<Name, F...>;
  (void)typename Registrar::Functions{};
  (void)typename Registrar::Registered{};
  return Module(Name.text, Registrar::functions, sizeof...(F));
}

}  // namespace detail

/// The module of that name and those functions.
template <FixedString Name, auto... F>
inline constexpr Module module = detail::make_module<Name, F...>();

/// Those functions, as a module without a name.
template <auto... F>
constexpr Module functions() {
  return detail::make_module<"", F...>();
}

/// The two parts of "module.fn"; throws `UsageError` if `path` has another form.
struct FunctionPath {
  std::string module;    ///< In front of the last dot.
  std::string function;  ///< Behind it, unqualified.

  /// Takes `path` apart. Never waits.
  static FunctionPath parse(std::string_view path);
};

}  // namespace troupe
