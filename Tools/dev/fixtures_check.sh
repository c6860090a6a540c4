#!/usr/bin/env bash
# Makes the inputs under fixtures/ again and compares them with what git has.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" Tools/fixtures/make_fixtures.py "$folder" >/dev/null
for kind in crawl wiki wet text jsonl planted.jsonl; do diff -r "$folder/$kind" "fixtures/$kind"; done
