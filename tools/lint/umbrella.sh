#!/bin/bash
# Checks what `#include "troupe/troupe.h"` makes the compiler read: no ZeroMQ, glog or Boost header.
# Usage: umbrella.sh ROOT
set -euo pipefail

root=$1
include=$(mktemp -d)
trap 'rm -rf "$include"' EXIT
ln -s "$root" "$include/troupe"

if ! headers=$("${CXX:-c++}" -std=c++20 -I"$include" -M -MT x "$include/troupe/troupe.h"); then
  echo "umbrella: troupe.h cannot be read by the compiler"
  exit 1
fi
bad=$(tr ' ' '\n' <<<"$headers" | grep -E '/(zmq|glog|gflags|boost|sodium)[./]|/zmq_addon' || true)
if [[ -n $bad ]]; then
  echo "umbrella: troupe.h reaches headers that cost users seconds per file:"
  echo "$bad"
  exit 1
fi
echo "umbrella: fine ($(tr ' ' '\n' <<<"$headers" | grep -c "^$include/troupe/") headers of troupe)"
