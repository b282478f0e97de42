#!/bin/bash
# Usage: fiber_only_test.sh PROGRAM
set -uo pipefail

printed=$("$1" | sort | uniq -c | tr -s '\n ' ' ') || exit 1
if [[ $printed != " 2 ping 2 pong " ]]; then
  echo "it printed:$printed"
  exit 1
fi
libraries=$(ldd "$1") || exit 1
if grep -E 'libzmq|libglog|libsodium' <<<"$libraries"; then
  echo "a program that only uses tasks must not load these"
  exit 1
fi
