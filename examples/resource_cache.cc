// SPDX-License-Identifier: Apache-2.0

// A resource that tasks share without knowing of each other: who comes first opens it, who leaves
// last closes it. Uses the task layer alone. Prints:
//
//   opens the connection to db.example
//   closes the connection to db.example
//   3 tasks have used it, 2 of them found it open
//   opens the connection to db.example
//   closes the connection to db.example

#include <iostream>
#include <string>
#include <utility>

#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/resource_cache.h"
#include "troupe/runtime/fiber/run.h"

struct Connection {
  explicit Connection(std::string to) : host(std::move(to)) {
    std::cout << "opens the connection to " << host << std::endl;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { std::cout << "closes the connection to " << host << std::endl; }

  std::string host;
  int questions = 0;
};

// Calls `body` with the connection, and whether it was open.
template <class Body>
void with_connection(const std::string& host, Body body) {
  troupe::maybe_open_context(
      host, [host] { return Connection(host); }, std::move(body));
}

int main() {
  troupe::run_tasks([] {
    int used = 0, found_open = 0;
    troupe::Event all_there;
    troupe::open_task_nursery([&](troupe::TaskNursery& n) {
      for (int i = 0; i < 3; ++i) {
        n.start_soon([&] {
          with_connection("db.example", [&](Connection& connection, bool hit) {
            if (hit) ++found_open;
            if (++connection.questions == 3) all_there.set();
            all_there.wait();
            used = connection.questions;
          });
        });
      }
    });
    std::cout << used << " tasks have used it, " << found_open << " of them found it open"
              << std::endl;
    // Nobody has it any more: who comes now opens it anew.
    with_connection("db.example", [](Connection& connection) { ++connection.questions; });
  });
}
