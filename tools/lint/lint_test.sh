#!/bin/bash
# Runs a lint over the source tree. Usage: lint_test.sh WORKSPACE SCRIPT
#
# Lints look at the whole tree, also at files that no BUILD file names. So they do not read what
# Bazel lays out for tests but the tree itself, which the link to WORKSPACE leads to.
set -euo pipefail

root=$(dirname "$(realpath "$1")")
case $2 in
  *.py) exec python3 -B "$2" "$root" ;;
  *) exec bash "$2" "$root" ;;
esac
