// SPDX-License-Identifier: Apache-2.0
#include "troupe/tools/bench/raw_fibers.h"

#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/context.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>
#include <boost/fiber/pooled_fixedsize_stack.hpp>
#include <boost/fiber/unbuffered_channel.hpp>
#include <memory>
#include <vector>

#include "troupe/runtime/fiber/loop.h"
#include "troupe/runtime/fiber/stack_pool.h"
#include "troupe/tools/bench/measure.h"

namespace troupe::bench {

using boost::fibers::context;
using boost::fibers::fiber;
using boost::fibers::launch;

double raw_switch(long count) {
  const auto yield_often = [count] {
    for (long i = 0; i < count / 2; ++i) boost::this_fiber::yield();
  };
  return nanoseconds_each(count, [&] {
    fiber one(launch::post, yield_often);
    fiber other(launch::post, yield_often);
    one.join();
    other.join();
  });
}

double raw_create_join(long count) {
  constexpr long batch = 1000;
  boost::fibers::pooled_fixedsize_stack stacks;
  const auto create_and_join = [&] {
    std::vector<fiber> fibers;
    fibers.reserve(batch);
    for (long i = 0; i < batch; ++i)
      fibers.emplace_back(launch::post, std::allocator_arg, stacks, [] {});
    for (fiber& each : fibers) each.join();
  };
  create_and_join();  // the pool grows
  return nanoseconds_each(count / batch * batch, [&] {
    for (long i = 0; i < count / batch; ++i) create_and_join();
  });
}

double raw_buffered_channel(long count) {
  boost::fibers::buffered_channel<long> channel(64);
  return nanoseconds_each(count, [&] {
    fiber producer(launch::post, [&] {
      for (long i = 0; i < count; ++i) channel.push(i);
    });
    fiber consumer(launch::post, [&] {
      for (long i = 0; i < count; ++i) channel.value_pop();
    });
    producer.join();
    consumer.join();
  });
}

double raw_rendezvous(long count) {
  boost::fibers::unbuffered_channel<long> there;
  boost::fibers::unbuffered_channel<long> back;
  return nanoseconds_each(count, [&] {
    fiber ping(launch::post, [&] {
      for (long i = 0; i < count / 2; ++i) {
        there.push(i);
        back.value_pop();
      }
    });
    fiber pong(launch::post, [&] {
      for (long i = 0; i < count / 2; ++i) back.push(there.value_pop());
    });
    ping.join();
    pong.join();
  });
}

namespace {

// Stacks of a pool, as the loop's fibers have them.
struct PoolStacks {
  using traits_type = boost::context::stack_traits;
  StackPool* pool;

  boost::context::stack_context allocate() const {
    boost::context::stack_context stack;
    stack.sp = pool->allocate();
    stack.size = pool->stack_size();
    return stack;
  }
  void deallocate(boost::context::stack_context& stack) const noexcept {
    pool->release(static_cast<char*>(stack.sp));
  }
};

}  // namespace

double raw_park(long count) {
  StackPool pool(FiberOptions().stack_size);
  std::vector<context*> parked;
  parked.reserve(static_cast<std::size_t>(count));
  long ended = 0;
  const double each = nanoseconds_each(count, [&] {
    for (long i = 0; i < count; ++i) {
      fiber(launch::post, std::allocator_arg, PoolStacks{&pool}, [&parked, &ended] {
        parked.push_back(context::active());
        context::active()->suspend();
        ++ended;
      }).detach();
    }
    while (static_cast<long>(parked.size()) < count) boost::this_fiber::yield();
  });
  for (context* fiber_context : parked) context::active()->schedule(fiber_context);
  while (ended < count) boost::this_fiber::yield();
  for (int i = 0; i < 3; ++i) boost::this_fiber::yield();  // the dispatcher lets go of the stacks
  return each;
}

}  // namespace troupe::bench
