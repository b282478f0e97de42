// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that users of troupe write against.

#if __cplusplus < 202002L
#error "troupe needs -std=c++20"
#endif

// Running
#include "troupe/run.h"

// Tasks: structured concurrency in one process
#include "troupe/runtime/base/error.h"
#include "troupe/runtime/base/exception_group.h"
#include "troupe/runtime/base/logger.h"
#include "troupe/runtime/base/origin.h"
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/cancelled.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/clock.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/fiber_options.h"
#include "troupe/runtime/fiber/gather.h"
#include "troupe/runtime/fiber/gather_contexts.h"
#include "troupe/runtime/fiber/handle.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/resource_cache.h"
#include "troupe/runtime/fiber/run_local.h"
#include "troupe/runtime/fiber/system_task.h"
#include "troupe/runtime/fiber/task_local.h"
#include "troupe/runtime/fiber/timeouts.h"

// Talking between tasks
#include "troupe/runtime/fiber/broadcast_channel.h"
#include "troupe/runtime/fiber/capacity.h"
#include "troupe/runtime/fiber/capacity_limiter.h"
#include "troupe/runtime/fiber/condition.h"
#include "troupe/runtime/fiber/conflict_detector.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/generator.h"
#include "troupe/runtime/fiber/lock.h"
#include "troupe/runtime/fiber/memory_channel.h"
#include "troupe/runtime/fiber/merge.h"
#include "troupe/runtime/fiber/parking_lot.h"
#include "troupe/runtime/fiber/semaphore.h"

// The outside world
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/loop_token.h"
#include "troupe/runtime/fiber/pipe.h"
#include "troupe/runtime/fiber/process.h"
#include "troupe/runtime/fiber/signal_wait.h"
#include "troupe/runtime/fiber/thread.h"

// Looking into a run, and testing
#include "troupe/runtime/fiber/instrument.h"
#include "troupe/runtime/fiber/statistics.h"
#include "troupe/runtime/fiber/task_tree.h"
#include "troupe/runtime/fiber/testing.h"

// Actors: structured concurrency across processes
#include "troupe/ipc/address.h"
#include "troupe/ipc/errors.h"
#include "troupe/ipc/uid.h"
#include "troupe/runtime/actor/actor_nursery.h"
#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/cluster.h"
#include "troupe/runtime/actor/current_actor.h"
#include "troupe/runtime/actor/debugger.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/actor/result_portal.h"
#include "troupe/runtime/actor/statespace.h"
#include "troupe/runtime/actor/supervisor.h"
#include "troupe/runtime/actor/to_actor.h"
#include "troupe/runtime/rpc/context.h"
#include "troupe/runtime/rpc/error_report.h"
#include "troupe/runtime/rpc/errors.h"
#include "troupe/runtime/rpc/function.h"
#include "troupe/runtime/rpc/module.h"
#include "troupe/runtime/rpc/portal.h"
#include "troupe/runtime/rpc/receive_end.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/runtime/rpc/stream.h"
#include "troupe/runtime/rpc/stream_hub.h"
#include "troupe/runtime/rpc/stream_options.h"
#include "troupe/runtime/rpc/wire_types.h"
#include "troupe/spawn/child_stdio.h"
#include "troupe/spawn/errors.h"
#include "troupe/spawn/exit_status.h"
#include "troupe/spawn/start_method.h"

// Names
#include "troupe/discovery/actor_event.h"
#include "troupe/discovery/find.h"
#include "troupe/discovery/watch.h"
