#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# dangling_guard_test.sh <flags file> <dangling.cc> <other sources and archives...>: the guard
# against tasks that point into a dead nursery body catches what it should, and nothing else, with
# every compiler of the system, at -O0 and at -O2.
set -u
flags=$1
shift
failures=0
fail() {
  echo "FAILED: $1" >&2
  failures=$((failures + 1))
}

check_caught() { # program, case
  local output
  output=$(ulimit -c 0; "$1" "$2" 2>&1)
  [ $? -eq 134 ] || fail "$1 $2 was not caught: $output"
  for part in "task 'the child', started at" "dangling.cc:" "must be declared outside of the body"; do
    grep -qF "$part" <<<"$output" || fail "$1 $2: the report lacks \"$part\": $output"
  done
}

# Archives that were compiled with a sanitizer need its runtime, and that is g++'s.
sanitizer=()
grep -q __ubsan_handle "$@" && sanitizer=(-fsanitize=undefined)

compilers=0
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  [[ $compiler == clang++ && ${#sanitizer[@]} -gt 0 ]] && continue
  compilers=$((compilers + 1))
  for level in -O0 -O2; do
    program="$TEST_TMPDIR/dangling-$compiler$level"
    "$compiler" -std=c++20 $level "${sanitizer[@]}" $(cat "$flags") -Wl,--start-group "$@" -Wl,--end-group \
      -lboost_fiber -lboost_context -pthread -o "$program" || { fail "$program"; continue; }
    "$program" enabled || { fail "$program is without the guard"; continue; }
    for each in $("$program" caught); do check_caught "$program" "$each"; done
    TROUPE_ALLOW_DANGLING=1 "$program" when_the_body_throws 2>/dev/null ||
      fail "$program: TROUPE_ALLOW_DANGLING does not let it pass"
    for each in $("$program" passing); do
      output=$("$program" "$each" 2>&1) || fail "$program $each: $output"
    done
  done
done
[ "$compilers" -gt 0 ] || fail "neither g++ nor clang++ is installed"
exit $((failures > 0))
