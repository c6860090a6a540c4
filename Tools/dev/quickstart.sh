#!/usr/bin/env bash
# The whole way on fixtures/, a small dump of our own in eleven languages: quickstart.sh BINARY
set -eu
cd "$(dirname "$0")/../.."
sluice=$1
out=out/quickstart
rm -rf "$out"
mkdir -p out
show() { echo; echo "\$ $*"; "$@"; }

show "$sluice" run pipelines/small.yaml --input fixtures/crawl -o "$out" --gpus 8
show "$sluice" why "$out" https://mirror.example/en/copy | sed '/^web-/,$d'
show "$sluice" verify "$out"
show "$sluice" inspect "$out/view/view.json"
show "$sluice" inspect "$out/store"
