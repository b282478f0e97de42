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
#include "troupe/runtime/fiber/cancel_scope.h"
#include "troupe/runtime/fiber/checkpoint.h"
#include "troupe/runtime/fiber/errors.h"
#include "troupe/runtime/fiber/event.h"
#include "troupe/runtime/fiber/fd_wait.h"
#include "troupe/runtime/fiber/nursery.h"
#include "troupe/runtime/fiber/semaphore.h"
#include "troupe/runtime/fiber/task_local.h"
#include "troupe/runtime/fiber/timeouts.h"

// Actors: structured concurrency across processes
#include "troupe/ipc/errors.h"
#include "troupe/runtime/actor/actor_nursery.h"
#include "troupe/runtime/actor/actor_options.h"
#include "troupe/runtime/actor/current_actor.h"
#include "troupe/runtime/actor/errors.h"
#include "troupe/runtime/rpc/error_report.h"
#include "troupe/runtime/rpc/module.h"
#include "troupe/runtime/rpc/portal.h"
#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/spawn/errors.h"

// Names
#include "troupe/discovery/find.h"
