// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/actor/tracer.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "troupe/runtime/rpc/json_writer.h"

namespace troupe {
namespace {

// In microseconds, on the clock that all processes of this host share.
double present() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(time).count();
}

// The name of an arrow: the same at both of its ends. FNV-1a.
std::string arrow_of(const detail::TracedCall& call) {
  std::uint64_t hash = 14695981039346656037u;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  };
  mix(call.caller.uuid);
  mix(call.callee.uuid);
  mix(std::to_string(call.dialog));
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(hash));
  return text;
}

std::string metadata(const char* what, std::int64_t pid, std::size_t track,
                     const std::string& name) {
  JsonWriter json;
  json.open({}, '{');
  json.put("ph", "M");
  json.put("name", what);
  json.put("pid", pid);
  json.put("tid", static_cast<std::int64_t>(track));
  json.open("args", '{');
  json.put("name", name);
  json.close('}');
  json.close('}');
  return json.text();
}

}  // namespace

Tracer* Tracer::current_ = nullptr;

std::string Tracer::path_of_environment() {
  const char* const path = std::getenv("TROUPE_TRACE");
  if (path == nullptr || *path == '\0') return {};
  std::error_code unknown;  // without the working directory it stays relative
  const std::filesystem::path absolute = std::filesystem::absolute(path, unknown);
  return unknown ? path : absolute.string();
}

std::unique_ptr<Tracer> Tracer::of_root(const std::string& path, const std::string& name) {
  if (path.empty() || current_ != nullptr) return nullptr;
  return std::make_unique<Tracer>(TraceFile::create(path), name, /*is_root=*/true);
}

std::unique_ptr<Tracer> Tracer::of_actor(const std::string& path, const std::string& name) {
  if (path.empty()) return nullptr;
  return std::make_unique<Tracer>(TraceFile::join(path), name, /*is_root=*/false);
}

Tracer::Tracer(TraceFile file, const std::string& name, bool is_root)
    : file_(std::move(file)), pid_(::getpid()), is_root_(is_root) {
  current_ = this;
  detail::call_trace_hook = &Tracer::on_call;
  file_.add(metadata("process_name", pid_, 0, name));
}

// The root is the last one: all others have ended before it.
Tracer::~Tracer() {
  detail::call_trace_hook = nullptr;
  current_ = nullptr;
  if (is_root_) {
    JsonWriter json;
    begin_event(json, 'i', "the end", present(), 0);
    json.put("s", "g");
    json.close('}');
    file_.close(json.text());
  } else {
    file_.flush();
  }
}

// The caller closes the object.
void Tracer::begin_event(JsonWriter& json, char phase, std::string_view name, double time,
                         std::size_t track) const {
  json.open({}, '{');
  json.put("ph", std::string_view(&phase, 1));
  if (!name.empty()) json.put("name", name);
  json.put_decimal("ts", time);
  json.put("pid", pid_);
  json.put("tid", static_cast<std::int64_t>(track));
}

void Tracer::name_track(std::size_t track) {
  file_.add(
      metadata("thread_name", pid_, track, track == 0 ? "main" : "tasks " + std::to_string(track)));
}

void Tracer::task_spawned(const Task& task) {
  Track& track = tracks_[task.id];
  if (free_tracks_.empty()) {
    track.number = track_count_++;
    name_track(track.number);
  } else {
    track.number = free_tracks_.extract(free_tracks_.begin()).value();
  }
  JsonWriter json;
  begin_event(json, 'B', task.display_name(), present(), track.number);
  json.open("args", '{');
  json.put("started at",
           std::string(task.start.file_name()) + ":" + std::to_string(task.start.line()));
  json.close('}');
  json.close('}');
  file_.add(json.text());
}

void Tracer::after_task_step(const Task& task) {
  const auto track = tracks_.find(task.id);
  running_ = 0;
  if (track == tracks_.end() || task.wait == nullptr) return;
  track->second.wait = task.waits_for();
  track->second.wait_begin = present();
}

void Tracer::before_task_step(const Task& task) {
  const auto found = tracks_.find(task.id);
  if (found == tracks_.end()) return;
  Track& track = found->second;
  running_ = track.number;
  if (track.wait.empty()) return;
  JsonWriter json;
  begin_event(json, 'X', track.wait, track.wait_begin, track.number);
  json.put("cat", "wait");
  json.put_decimal("dur", present() - track.wait_begin);
  json.close('}');
  file_.add(json.text());
  track.wait.clear();
}

void Tracer::task_exited(const Task& task) {
  const auto track = tracks_.find(task.id);
  if (track == tracks_.end()) return;
  JsonWriter json;
  begin_event(json, 'E', {}, present(), track->second.number);
  json.close('}');
  file_.add(json.text());
  free_tracks_.insert(track->second.number);
  tracks_.erase(track);
}

void Tracer::on_call(const detail::TracedCall& call) {
  JsonWriter json;
  current_->begin_event(json, call.is_callee ? 'f' : 's', "call", present(), current_->running_);
  json.put("cat", "call");
  json.put("id", arrow_of(call));
  if (call.is_callee) json.put("bp", "e");
  json.close('}');
  current_->file_.add(json.text());
}

void Tracer::note(const std::string& what) {
  if (current_ == nullptr) return;
  JsonWriter json;
  current_->begin_event(json, 'i', what, present(), current_->running_);
  json.put("s", "p");
  json.close('}');
  current_->file_.add(json.text());
}

}  // namespace troupe
