#!/usr/bin/env bash
# One line: the share of the lines under Sources that the unit tests ran. Appended to the file that is named, if any.
set -eu
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
# The profile's format belongs to the compiler: its own llvm tools read it, another llvm's may not.
tools=$(dirname "$(readlink -f "$(command -v "$swift")")")
bin=$("$swift" build --show-bin-path)
test_binary=$bin/sluicePackageTests.xctest
"$tools/llvm-profdata" merge -sparse "$bin"/codecov/*.profraw -o .build/coverage.profdata
line=$("$tools/llvm-cov" export -summary-only -instr-profile .build/coverage.profdata "$test_binary" \
  -ignore-filename-regex '/(Tests|checkouts|\.build)/' | "${PYTHON:-python3}" -c '
import json, sys
lines = json.load(sys.stdin)["data"][0]["totals"]["lines"]
print("line coverage of Sources: %.1f %% (%d of %d lines)" % (lines["percent"], lines["covered"], lines["count"]))')
echo "$line"
if [ $# -gt 0 ]; then echo "$line" >>"$1"; fi
