#!/usr/bin/env bash
# make test: every check of CI, in order, with the seconds each one took. The first failure ends it.
set -u
cd "$(dirname "$0")/../.." || exit 1
mkdir -p .build
totals=.build/test-totals.txt
: >"$totals"
swift=${SWIFT:-swift} jobs=${JOBS:-2}
export SLUICE_STRICT=1

step() {
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  if "$@"; then
    printf '%-34s ok      %4d s\n' "$name" $((SECONDS - start)) | tee -a "$totals"
  else
    printf '%-34s FAILED  %4d s\n' "$name" $((SECONDS - start)) | tee -a "$totals"
    exit 1
  fi
}

# Runs the tests, shows what failed or was skipped, and keeps the runner's closing line.
tests() {
  local log=.build/test-$1.log code
  shift
  "$swift" test -j "$jobs" "$@" >"$log" 2>&1
  code=$?
  grep -E '^skipped:' "$log" | sort -u
  if [ $code -ne 0 ]; then
    grep -vE '^(\[[0-9]+/|◇|✔|Build |Test (Suite|Case)|.*Executed 0 tests)' "$log" | tail -n 120
  fi
  grep -E 'Test run with' "$log" | tee -a "$totals"
  # A run that finds no test proves nothing.
  [ $code -eq 0 ] && grep -qE 'Test run with [1-9]' "$log"
}

release() {
  SLUICE_STRICT='' "$swift" build -c release --product sluice --static-swift-stdlib -j "$jobs" 2>&1 | tail -n 40
  [ "${PIPESTATUS[0]}" -eq 0 ]
}

build() {
  # Profiles of an earlier run would count lines of an earlier program.
  rm -f .build/*/debug/codecov/*.profraw
  "$swift" build --build-tests --enable-code-coverage -j "$jobs" >.build/build.log 2>&1 && return 0
  grep -E 'error|warning|note' .build/build.log | sort -u | head -n 60
  return 1
}

quick=(--skip-build --enable-code-coverage --skip CommandTests --skip ReliabilityTests)
whole=(--skip-build --filter 'CommandTests|ReliabilityTests')
step "lint" "$swift" format lint --strict --parallel -r Package.swift Sources Tests
step "debug build, warnings are errors" build
step "unit tests" tests unit "${quick[@]}"
step "line coverage" Tools/dev/coverage.sh "$totals"
step "release build" release
export SLUICE_BINARY=$PWD/.build/release/sluice
step "command and reliability tests" tests commands "${whole[@]}"
step "fixtures are what their tool makes" Tools/dev/fixtures_check.sh
step "small pipeline" Tools/dev/small_pipeline.sh check "$SLUICE_BINARY"
step "generated tables" Tools/dev/tables.sh
