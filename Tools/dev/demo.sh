#!/usr/bin/env bash
# The whole way on a real dump: 20,000 pages of documentation in 8 languages, with planted junk. demo.sh BINARY
set -eu
cd "$(dirname "$0")/../.."
sluice=$1 cache=${CACHE:-.cache}/demo
out=out/demo
[ -e "$cache/manifest.json" ] || "${PYTHON:-python3}" Tools/demo/make_demo.py "$cache"
rm -rf "$out"
mkdir -p out
"$sluice" run pipelines/web.yaml --input "$cache/crawl" -o "$out" --gpus 8
"$sluice" inspect "$out"
"${PYTHON:-python3}" Tools/demo/check_demo.py --run "$out" --cache "$cache" --sluice "$sluice"
