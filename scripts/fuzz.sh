#!/bin/sh
# Runs every fuzz target of the project, one after the other, each for the time
# that is given (go test takes only one target at a time).
#
#   scripts/fuzz.sh 30s
set -eu

cd "$(dirname "$0")/.."
[ $# -eq 1 ] || { echo "usage: scripts/fuzz.sh DURATION" >&2; exit 2; }

targets=$(grep -rE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(' . | sed 's/^\(.*\)\/[^/]*:func \(Fuzz[A-Za-z0-9_]*\)(.*/\1 \2/')
[ -n "$targets" ] || { echo "fuzz: there is no fuzz target" >&2; exit 1; }
echo "$targets" | sort | while read -r package name; do
	echo "fuzz: $name in $package for $1"
	go test "$package" -run '^$' -fuzz "^$name\$" -fuzztime "$1" </dev/null
done
