// SPDX-License-Identifier: Apache-2.0
#include "troupe/examples/showcase/report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

namespace showcase {
namespace {

using namespace std::chrono_literals;

constexpr auto redraw_period = 100ms;
constexpr int bar_width = 30;

// The escape sequences of ECMA-48 that any terminal knows.
constexpr const char* hide_cursor = "\x1b[?25l";
constexpr const char* show_cursor = "\x1b[?25h";
constexpr const char* clear_line = "\r\x1b[K";

class Table {
 public:
  Table(const Scoreboard& board, int ticks) : board_(board), ticks_(ticks) {
    std::cout << hide_cursor;
    draw();
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  // Ctrl-C comes as a Cancelled through `sleep`: no handler is needed to tidy up. (The terminal has
  // shown it as ^C, which goes.)
  ~Table() {
    draw();
    std::cout << clear_line << show_cursor << std::flush;
  }

  void draw() {
    std::ostringstream out;
    if (drawn_lines_ > 0) out << "\x1b[" << drawn_lines_ << 'A';
    const troupe::TimePoint now = troupe::current_time();
    const double seconds = std::chrono::duration<double>(now - last_draw_).count();
    const int done = static_cast<int>(board_.appraised.size());
    line(out, bar(done));
    line(out, "worker        ticks   per s  restarts");
    last_.resize(board_.rows.size());
    for (std::size_t i = 0; i < last_.size(); ++i) {
      const Row& row = board_.rows[i];
      line(out, text_of(row, seconds > 0 ? (row.done - last_[i]) / seconds : 0));
      last_[i] = row.done;
    }
    line(out, "restarted: " + std::to_string(board_.restarts()) + "; Ctrl-C ends it all");
    drawn_lines_ = static_cast<int>(last_.size()) + 3;
    last_draw_ = now;
    std::cout << out.str() << std::flush;
  }

 private:
  static void line(std::ostream& out, const std::string& text) {
    out << clear_line << text << '\n';
  }

  static std::string text_of(const Row& row, double rate) {
    char text[80];
    std::snprintf(text, sizeof text, "%-10s %8d %7.0f %9d%s", row.name.c_str(), row.done, rate,
                  row.restarts, row.gone ? "  killed" : "");
    return text;
  }

  std::string bar(int done) const {
    const int full = bar_width * done / ticks_;
    return '[' + std::string(full, '#') + std::string(bar_width - full, '.') + "] " +
           std::to_string(done) + " of " + std::to_string(ticks_) + " ticks";
  }

  const Scoreboard& board_;
  int ticks_;
  int drawn_lines_ = 0;
  troupe::TimePoint last_draw_ = troupe::current_time();
  std::vector<int> last_;
};

// The first worker for which `is_so`, or null.
template <class Predicate>
const Row* find(const Scoreboard& board, Predicate is_so) {
  const auto found = std::find_if(board.rows.begin(), board.rows.end(), is_so);
  return found == board.rows.end() ? nullptr : &*found;
}

void print_progress(Scoreboard& board, int ticks) {
  board.wait([&] { return static_cast<int>(board.appraised.size()) >= ticks; });
  std::cout << ticks << " ticks appraised" << std::endl;
}

}  // namespace

void show_table(const Scoreboard& board, int ticks) {
  Table table(board, ticks);
  for (;;) {
    troupe::sleep(redraw_period);
    table.draw();
  }
}

void print_lines(Scoreboard& board, int ticks) {
  const auto was_hit = [](const Row& row) { return row.gone || row.restarts > 0; };
  const auto is_back = [](const Row& row) { return row.restarts > 0; };
  print_progress(board, ticks / 4);
  print_progress(board, ticks / 2);
  board.wait([&] { return find(board, was_hit) != nullptr; });
  std::cout << find(board, was_hit)->name << " was killed: kill -9" << std::endl;
  board.wait([&] { return find(board, is_back) != nullptr; });
  std::cout << find(board, is_back)->name << " is back, in another process" << std::endl;
  print_progress(board, ticks * 3 / 4);
  print_progress(board, ticks);
}

}  // namespace showcase
