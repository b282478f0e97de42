#!/bin/bash
# Usage: greeting_test.sh PROGRAM
printed=$("$1") || exit 1
if [[ $printed != "hello world, this is greeter" ]]; then
  echo "it printed: $printed"
  exit 1
fi
