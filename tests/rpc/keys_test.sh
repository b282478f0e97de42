#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# keys_test.sh <print_keys.cc> <flags file> <archives...>: functions have the same keys whichever
# compiler made the program. Programs of different compilers may talk to each other.
set -eu
source=$1
flags=$2
shift 2
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  for level in -O0 -O2; do
    program="$TEST_TMPDIR/print_keys-$compiler$level"
    "$compiler" -std=c++20 $level $(cat "$flags") "$source" -Wl,--start-group "$@" -Wl,--end-group -o "$program"
    "$program" >"$program.keys"  # compares with what is expected
    echo "$compiler $level: $(wc -l <"$program.keys") keys"
  done
done
