// SPDX-License-Identifier: Apache-2.0
// Two tasks of one process take turns.
#include <cstdio>
#include <initializer_list>

#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/run.h"

int main() {
  troupe::run_tasks([] {
    troupe::open_task_nursery([](troupe::TaskNursery& n) {
      for (const char* name : {"ping", "pong"}) {
        n.start_soon(name, [name] {
          for (int i = 0; i < 2; ++i) {
            std::puts(name);
            troupe::checkpoint();
          }
        });
      }
    });
  });
}
