// SPDX-License-Identifier: Apache-2.0
#pragma once

// `TROUPE_TRACE=file.json`: what tasks and calls do in all actors of a tree, as one trace that
// Perfetto and Chrome show. Each actor is a process there; its tasks are slices on as many tracks
// as there are tasks at once, with their waits in them; arrows lead from callers to callees.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/trace_file.h"
#include "troupe/runtime/fiber/instrument.h"
#include "troupe/runtime/fiber/task.h"
#include "troupe/runtime/rpc/call_trace.h"

namespace troupe {

class JsonWriter;

/// The trace of one actor, for `FiberOptions::instruments`. Resource; one in a process at a time.
/// Holds 64 KiB, and a little for each live task. Whatever it has heard of is in the file before
/// the loop waits, so that a killed actor takes nothing with it.
class Tracer final : public Instrument {
 public:
  /// The file that the environment names, absolute; empty when it does not.
  static std::string path_of_environment();
  /// That of a root, or of an actor below it; null when `path` is empty.
  static std::unique_ptr<Tracer> of_root(const std::string& path, const std::string& name);
  static std::unique_ptr<Tracer> of_actor(const std::string& path, const std::string& name);

  Tracer(TraceFile file, const std::string& name, bool is_root);
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer() override;

  void task_spawned(const Task& task) override;
  void before_task_step(const Task& task) override;
  void after_task_step(const Task& task) override;
  void task_exited(const Task& task) override;
  void before_io_wait(Duration) override { file_.flush(); }

  /// Notes that something has happened here, a death say; does nothing without a tracer.
  static void note(const std::string& what);

 private:
  // Where a task is drawn, and what it waits for.
  struct Track {
    std::size_t number = 0;
    std::string wait;
    double wait_begin = 0;
  };

  static void on_call(const detail::TracedCall& call);
  void begin_event(JsonWriter& json, char phase, std::string_view name, double time,
                   std::size_t track) const;
  void name_track(std::size_t track);

  static Tracer* current_;

  TraceFile file_;
  std::int64_t pid_;
  bool is_root_;
  std::unordered_map<std::uint64_t, Track> tracks_;  // by the tasks' ids
  std::set<std::size_t> free_tracks_;
  std::size_t track_count_ = 0;
  std::size_t running_ = 0;  // the track of the task that runs
};

}  // namespace troupe
