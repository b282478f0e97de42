// SPDX-License-Identifier: Apache-2.0

// The body of a context takes the value that the callee starts with.
//
// EXPECT: the last argument of open_context is its body, which takes the context and the value that
// the callee started with

#include "troupe/runtime/rpc/portal.h"

struct Word {
  using Started = int;
};
int count_up(troupe::Context<Word>& ctx, int to);

#ifdef FIXED
int talk(const troupe::Portal& portal) {
  return portal.open_context<&count_up>(3, [](auto& ctx, int) { return ctx.result(); });
}
#else
void talk(const troupe::Portal& portal) {
  portal.open_context<&count_up>(3, [](troupe::CallerContext<Word, int>&) {});
}
#endif
