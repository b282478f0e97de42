// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of dialogs share: an actor with something to call, and means to see and steer from
// outside what its functions do. A called function fails no test by itself, so it writes down what
// happens, and the test reads that.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/troupe.h"

namespace dialogs {

using Lines = std::vector<std::string>;

/// What the functions of this process have written down.
struct Diary {
  Lines lines;
  troupe::ParkingLot readers;
};
inline Diary& diary() {
  static Diary of_this_process;
  return of_this_process;
}

inline void note(std::string line) {
  diary().lines.push_back(std::move(line));
  diary().readers.unpark_all();
}

/// Writes down that it ends: a local variable that stands for cleanup.
class NotesItsEnd {
 public:
  explicit NotesItsEnd(std::string what) : what_(std::move(what)) {}
  NotesItsEnd(const NotesItsEnd&) = delete;
  NotesItsEnd& operator=(const NotesItsEnd&) = delete;
  ~NotesItsEnd() { note(what_); }

 private:
  std::string what_;
};

/// Waits until there are so many lines, and gives all.
inline Lines read_diary(std::size_t lines) {
  while (diary().lines.size() < lines) diary().readers.park("read_diary");
  return diary().lines;
}

/// Lets functions of this process wait for a word from outside.
inline troupe::Event& gate() {
  static troupe::Event of_this_process;
  return of_this_process;
}
inline void open_gate() { gate().set(); }

inline std::string own_name() { return troupe::current_actor().name(); }
inline int own_pid() { return static_cast<int>(troupe::current_actor().pid()); }

inline const auto& diaries =
    troupe::module<"diaries", &read_diary, &open_gate, &own_name, &own_pid>;

/// The error of type `E` that `fn` throws. None, and a failure of the test, when it throws nothing;
/// other errors pass.
template <class E, class Fn>
std::optional<E> error_of(Fn fn) {
  try {
    fn();
  } catch (const E& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return std::nullopt;
}

/// Runs `body(nursery)` in a fresh root.
template <class Body>
void in_nursery(Body body) {
  troupe::open_root_actor({}, [&] { troupe::open_nursery(body); });
}

/// Starts an actor that exposes `module` and its diary.
inline troupe::Portal start(troupe::ActorNursery& n, const std::string& name,
                            const troupe::Module& module) {
  return n.start_actor(name, {.enable_modules = {module, diaries}});
}

/// Runs `body(portal)` with an actor that exposes `module` and its diary.
template <class Body>
void with_actor(const troupe::Module& module, Body body) {
  in_nursery([&](troupe::ActorNursery& n) {
    troupe::Portal portal = start(n, "callee", module);
    body(portal);
    portal.cancel_actor();
  });
}

}  // namespace dialogs
