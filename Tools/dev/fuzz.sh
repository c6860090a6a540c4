#!/usr/bin/env bash
# make fuzz: the unit tests that feed parsers random damage, ROUNDS times (default 20) with other seeds. A crash or a failed expectation
# ends it and names the seed; FUZZ_SEED=that number swift test repeats it.
set -eu
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
"$swift" build --build-tests -j "${JOBS:-2}" 2>&1 | tail -n 3
for ((round = 1; round <= ${ROUNDS:-20}; round++)); do
  seed=$((round * 1000003))
  if ! FUZZ_SEED=$seed "$swift" test --skip-build --filter '[Dd]amage|[Mm]utation|[Rr]andom|[Hh]ostile|[Bb]ytes' >.build/fuzz.log 2>&1; then
    grep -E '✘|↳|Fatal|rror' .build/fuzz.log | head -n 30
    echo "fuzz: failed with FUZZ_SEED=$seed" >&2
    exit 1
  fi
  echo "round $round, seed $seed: $(grep -E 'Test run with' .build/fuzz.log | sed 's/^[^T]*//')"
done
