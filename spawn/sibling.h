// SPDX-License-Identifier: Apache-2.0
#pragma once

// A fork whose child belongs to this process' parent: how a zygote makes children for an actor.

#include <sys/types.h>

namespace troupe::detail {

/// Whether this process has exactly one thread. Only then may it fork: a lock that another thread
/// holds would never be released in the child.
bool is_single_threaded();

/// As `fork`, but the child is a child of this process' parent, which learns of its end as of any
/// other's. Handlers of `pthread_atfork` are not called; with one thread there is nothing for them
/// to do. Returns -1 with errno set where the kernel cannot do this (ENOSYS, EINVAL: a sandbox, or
/// a kernel without CONFIG_CHECKPOINT_RESTORE).
pid_t fork_sibling() noexcept;

}  // namespace troupe::detail
