#!/bin/bash
# Runs a program and compares its standard output with a file; nothing of it may stay behind.
# Usage: golden_test.sh PROGRAM GOLDEN [--beside=PROGRAM] [SED EXPRESSION]...
# With --beside another program runs meanwhile; both are told of one arbiter's address.
set -uo pipefail

program=$1
golden=$2
shift 2

masks=()
beside=
for argument in "$@"; do
  case $argument in
    --beside=*) beside=${argument#--beside=} ;;
    *) masks+=(-e "$argument") ;;
  esac
done

# Sockets and run directories go below this folder. TEST_TMPDIR is too long for socket paths.
home=$(mktemp -d /tmp/troupe-golden.XXXXXX)
trap 'rm -rf "$home"' EXIT
mark="TROUPE_GOLDEN_MARK=$$-$RANDOM$RANDOM"

failed=0
complain() {
  echo "golden_test: $*" >&2
  failed=1
}

settings=("$mark" "XDG_RUNTIME_DIR=$home")
if [[ -n $beside ]]; then
  settings+=("TROUPE_ARBITER_ADDR=ipc://$home/arbiter")
  env "${settings[@]}" "$beside" >"$home/.beside" 2>&1 </dev/null &
fi

env "${settings[@]}" timeout --kill-after=5 50 \
  "$program" >"$home/.stdout" 2>"$home/.stderr" </dev/null
code=$?
((code == 0)) || complain "$program ended with exit code $code"

if [[ -n $beside ]]; then
  kill -TERM $!
  wait $!
  code=$?
  ((code == 143)) || complain "$beside ended with exit code $code: $(<"$home/.beside")"
fi

if ((${#masks[@]})); then
  sed -E "${masks[@]}" "$home/.stdout" >"$home/.masked"
else
  cp "$home/.stdout" "$home/.masked"
fi
diff -u --label "expected ($golden)" --label printed "$golden" "$home/.masked" ||
  complain "the output differs"

# The program's processes carry the mark in their environment.
left_over=$(grep -lz -- "^$mark\$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3)
for pid in $left_over; do
  complain "process $pid is left over: $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
  kill -KILL "$pid" 2>/dev/null
done

# $XDG_RUNTIME_DIR/troupe itself may stay, and the user's key; what else is in it may not.
files=$(find "$home" -mindepth 2 ! -path "$home/troupe/key" 2>/dev/null)
[[ -z $files ]] || complain "files are left over: $files"

if ((failed)) && [[ -s $home/.stderr ]]; then
  echo "golden_test: standard error was:" >&2
  cat "$home/.stderr" >&2
fi
exit "$failed"
