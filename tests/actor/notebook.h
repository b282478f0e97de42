// SPDX-License-Identifier: Apache-2.0
#pragma once

// A file in which several processes note what they do, a line each, so that a test can see in which
// order they did it.

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::testing {

/// Appends a line; it is there when this returns. From any process.
inline void note(const std::string& path, const std::string& line) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const std::string text = line + "\n";
  if (fd < 0 || ::write(fd, text.data(), text.size()) < 0) throw std::runtime_error("note");
  ::close(fd);
}

/// The lines so far. From any process.
inline std::vector<std::string> notes(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

/// Such a file; removed with this object.
class Notebook {
 public:
  Notebook() : path_("/tmp/troupe-notes-XXXXXX") {
    const int fd = ::mkstemp(path_.data());
    if (fd < 0) throw std::runtime_error("mkstemp");
    ::close(fd);
  }
  Notebook(const Notebook&) = delete;
  Notebook& operator=(const Notebook&) = delete;
  ~Notebook() { ::unlink(path_.c_str()); }

  /// Where it is, for the actors.
  const std::string& path() const { return path_; }
  /// The lines so far.
  std::vector<std::string> lines() const { return notes(path_); }

 private:
  std::string path_;
};

}  // namespace troupe::testing
