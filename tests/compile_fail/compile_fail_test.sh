#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# compile_fail_test.sh <source> <flags file>: see defs.bzl.
set -u
source=$1
flags=$2
failures=0
compilers=0

fail() {
  echo "FAILED: $1" >&2
  failures=$((failures + 1))
}

compile() { # compiler, further options
  "$@" -std=c++20 -fsyntax-only -Wall -Wextra $(cat "$flags") "$source" 2>&1
}

check_sentences() { # compiler, output
  local first
  first=$(grep -m 1 ' error: ' <<<"$2")
  while read -r kind sentence; do
    case $kind in
      EXPECT:) grep -qF "$sentence" <<<"$first" || fail "$1: the first error is not: $sentence" ;;
      EXPECT-ANYWHERE:) grep -qF "$sentence" <<<"$2" || fail "$1: no error says: $sentence" ;;
    esac
  done < <(sed -n 's,^// \(EXPECT\),\1,p' "$source")
}

grep -q '^// EXPECT' "$source" || fail "$source expects no sentence"
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  compilers=$((compilers + 1))
  before=$failures
  output=$(compile "$compiler") && fail "$compiler accepts $source"
  check_sentences "$compiler" "$output"
  fixed=$(compile "$compiler" -DFIXED -Werror) || fail "$compiler refuses $source even with -DFIXED: $fixed"
  [ "$failures" -eq "$before" ] || { echo "--- what $compiler said:"; head -n 60 <<<"$output"; }
done
[ "$compilers" -gt 0 ] || fail "neither g++ nor clang++ is installed"
exit $((failures > 0))
