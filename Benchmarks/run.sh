#!/usr/bin/env bash
# make bench: sluice and its peers in one run. run.sh BINARY [options of bench.py]
#   SLUICE_SHARED   folder with bench/ (default: ../shared beside the repository)
#   SLUICE_BENCH    where environments and inputs are made and kept, 3 GB (default: .cache/bench)
set -eu
cd "$(dirname "$0")/.."
sluice=$1
shift
shared=${SLUICE_SHARED:-../shared} folder=${SLUICE_BENCH:-.cache/bench}
if [ ! -x "$shared/bench/prepare.sh" ]; then
  echo "bench: $shared/bench is not here; set SLUICE_SHARED. Nothing was measured." >&2
  exit 1
fi
mkdir -p "$folder"
"$shared/bench/prepare.sh" "$folder" >"$folder/prepare.log" 2>&1 || { tail -n 20 "$folder/prepare.log" >&2; exit 1; }
echo "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | sed 's/^ //'), $(nproc) cores; $("$sluice" --version)"
"${PYTHON:-python3}" Benchmarks/bench.py --shared "$shared" --folder "$folder" --sluice "$sluice" "$@"
