// SPDX-License-Identifier: Apache-2.0

// A lambda with captures: it is no template argument, so it is passed as one of the function's.
//
// EXPECT: a lambda or function object has no name that another process knows: write a function and
// name it, as in <&function>; what a lambda captures becomes its arguments

#include "troupe/runtime/rpc/function.h"

void captured(int more) {
  const auto add = [more](int number) { return number + more; };

#ifdef FIXED
  (void)add;
#else
  troupe::refuse_callable<decltype(add)>();
#endif
}
