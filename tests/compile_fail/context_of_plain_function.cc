// SPDX-License-Identifier: Apache-2.0

// A function without a context has no dialog.
//
// EXPECT: this function is no context (its first parameter is no Context<P>&): call it with
// portal.run<&f>(args...)

#include "troupe/runtime/rpc/portal.h"

struct Silence {
  using Started = void;
};
int count(int to);
int count_up(troupe::Context<Silence>& ctx, int to);

#ifdef FIXED
int talk(const troupe::Portal& portal) {
  return portal.open_context<&count_up>(3, [](auto& ctx) { return ctx.result(); });
}
#else
void talk(const troupe::Portal& portal) {
  portal.open_context<&count>(3, [](auto& ctx) { return ctx.result(); });
}
#endif
