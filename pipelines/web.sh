#!/usr/bin/env bash
# pipelines/web.yaml as a shell chain; the documents are the same, byte for byte.
#   pipelines/web.sh OUT GPUS INPUT...      SLUICE names the program (default: sluice)
set -euo pipefail
sluice=${SLUICE:-sluice} out=$1 gpus=$2
shift 2
mkdir -p "$out"
"$sluice" extract "$@" | "$sluice" filter --recipe web --record "$out/filter" | "$sluice" dedup -o "$out/dedup"
"$sluice" train "$out/dedup" --vocab-size 32000 --pattern o200k -o "$out/tokenizer"
"$sluice" tokenize "$out/dedup" --tokenizer "$out/tokenizer" --split valid=0.5% -o "$out/store"
"$sluice" shard "$out/store" --gpus "$gpus" --context 2048 -o "$out/view.json"
