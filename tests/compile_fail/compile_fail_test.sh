#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# compile_fail_test.sh <flags file> <sources...>: see defs.bzl.
set -u
read -ra flags < <(tr '\n' ' ' <"$1")
shift
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/compile_fail.XXXXXX")
trap 'rm -rf "$work"' EXIT
options=(-std=c++20 -Wall -Wextra "${flags[@]}")
failures=0
compilers=0

fail() {
  echo "FAILED: $1" >&2
  failures=$((failures + 1))
}

# What the sources include is parsed once.
precompile() { # compiler
  local folder=$work/$1
  mkdir -p "$folder"
  grep -hE '^#include' "${sources[@]}" | sort -u >"$folder/all.h"
  case $1 in
    clang*) "$1" "${options[@]}" -x c++-header "$folder/all.h" -o "$folder/all.h.pch" ;;
    *) "$1" "${options[@]}" -x c++-header "$folder/all.h" -o "$folder/all.h.gch" ;;
  esac || fail "$1 refuses the headers themselves"
}

compile() { # compiler, further options
  case $1 in
    clang*) "$@" "${options[@]}" -include-pch "$work/$1/all.h.pch" -fsyntax-only "$source" 2>&1 ;;
    *) "$@" "${options[@]}" -include "$work/$1/all.h" -fsyntax-only "$source" 2>&1 ;;
  esac
}

check_sentences() { # compiler, output
  local first
  first=$(grep -m 1 ' error: ' <<<"$2")
  while read -r kind sentence; do
    case $kind in
      EXPECT:) grep -qF "$sentence" <<<"$first" || fail "$1, $source: the first error is not: $sentence" ;;
      EXPECT-ANYWHERE:) grep -qF "$sentence" <<<"$2" || fail "$1, $source: no error says: $sentence" ;;
    esac
  done < <(sed -n 's,^// \(EXPECT\),\1,p' "$source")
}

check() { # compiler, source
  local before=$failures output fixed
  output=$(compile "$1") && fail "$1 accepts $source"
  check_sentences "$1" "$output"
  fixed=$(compile "$1" -DFIXED -Werror) || fail "$1 refuses $source even with -DFIXED: $fixed"
  [[ $failures -eq $before ]] || { echo "--- what $1 said:" && head -n 60 <<<"$output"; }
}

sources=("$@")
for source in "${sources[@]}"; do
  grep -q '^// EXPECT' "$source" || fail "$source expects no sentence"
done
for compiler in g++ clang++; do
  command -v "$compiler" >/dev/null || continue
  compilers=$((compilers + 1))
  precompile "$compiler"
  for source in "${sources[@]}"; do check "$compiler" "$source"; done
done
((compilers > 0)) || fail "neither g++ nor clang++ is installed"
echo "${#sources[@]} files, $compilers compilers, $failures failures"
exit $((failures > 0))
