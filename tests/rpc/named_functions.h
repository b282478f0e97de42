// SPDX-License-Identifier: Apache-2.0
#pragma once

// Functions of every form that can be named, and their keys as text: the same for every compiler.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "troupe/runtime/rpc/function.h"

namespace stage {

std::string say(int count, const std::string& word);
void nothing() noexcept;
int overloaded(int number);
int overloaded(double number);
template <class T>
T twice(T value) {
  return value + value;
}
template <int N, bool Up>
int count() {
  return Up ? N : -N;
}
struct Theatre {
  static long seats(std::vector<std::string> rows);
  template <class T>
  struct Box {
    static std::string name(T number);
  };
};
inline namespace v2 {
int versioned();
}
namespace {
struct Hidden {
  int value;
};
[[maybe_unused]] int hidden(int number) { return number; }
[[maybe_unused]] Hidden takes_hidden(Hidden value) { return value; }
}  // namespace

}  // namespace stage

std::string global(std::map<std::string, int> table);
static inline int file_local(int number) { return number; }
extern "C" int with_c_linkage(int number);

/// The keys of all of them, one a line.
inline std::string all_keys() {
  using troupe::function_key;
  const std::string keys[] = {
      function_key<&stage::say>(),
      function_key<&stage::nothing>(),
      function_key<static_cast<void (*)()>(&stage::nothing)>(),
      function_key<static_cast<int (*)(int)>(&stage::overloaded)>(),
      function_key<static_cast<int (*)(double)>(&stage::overloaded)>(),
      function_key<&stage::twice<int>>(),
      function_key<&stage::twice<std::string>>(),
      function_key<&stage::count<3, true>>(),
      function_key<&stage::Theatre::seats>(),
      function_key<&stage::Theatre::Box<int>::name>(),
      function_key<&stage::versioned>(),
      function_key<&stage::hidden>(),
      function_key<&stage::takes_hidden>(),
      function_key<&global>(),
      function_key<&file_local>(),
      function_key<&with_c_linkage>(),
  };
  std::string text;
  for (const std::string& key : keys) text += key + "\n";
  return text;
}

/// What `all_keys` gives.
inline constexpr std::string_view expected_keys =
    "stage::say|std::string (int, std::string const&)\n"
    "stage::nothing|void ()\n"
    "stage::nothing|void ()\n"
    "stage::overloaded|int (int)\n"
    "stage::overloaded|int (double)\n"
    "stage::twice<int>|int (int)\n"
    "stage::twice<std::string>|std::string (std::string)\n"
    "stage::count<3, true>|int ()\n"
    "stage::Theatre::seats|long (std::vector<std::string>)\n"
    "stage::Theatre::Box<int>::name|std::string (int)\n"
    "stage::v2::versioned|int ()\n"
    "stage::{anonymous}::hidden|int (int)\n"
    "stage::{anonymous}::takes_hidden|stage::{anonymous}::Hidden (stage::{anonymous}::Hidden)\n"
    "global|std::string (std::map<std::string, int>)\n"
    "file_local|int (int)\n"
    "with_c_linkage|int (int)\n";
