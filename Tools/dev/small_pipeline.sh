#!/usr/bin/env bash
# The small pipeline on fixtures/: every source through extract, the crawl the whole way.
#   small_pipeline.sh check BINARY    compares what it makes with fixtures/expected
#   small_pipeline.sh write BINARY    writes fixtures/expected anew (read the difference before you commit it)
set -euo pipefail
cd "$(dirname "$0")/../.."
mode=$1 sluice=$2
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
made=$work/made
mkdir -p "$made"

# The documents of a stage folder as JSON lines: compressed parts would follow libzstd's version.
documents() { "$python" Tools/dumps/zstd.py "$1"/part-*; }

# Id, URL and decision of every document that a stage dropped.
drops() {
  "$python" Tools/dumps/zstd.py "$1"/dropped/part-* | "$python" -c '
import json, sys
for line in sys.stdin:
    document = json.loads(line)
    keep = {k: document[k] for k in ("id", "url", "drop") if k in document}
    print(json.dumps(keep, ensure_ascii=False))'
}

for source in wet wiki text jsonl; do
  "$sluice" extract "fixtures/$source" -o "$work/$source" --quiet
  documents "$work/$source" >"$made/$source.jsonl"
  cp "$work/$source/report.json" "$made/$source.report.json"
done

"$sluice" run pipelines/small.yaml --input fixtures/crawl -o "$work/run" --gpus 8 --quiet
for stage in extract filter dedup; do
  cp "$work/run/$stage/report.json" "$made/$stage.report.json"
  drops "$work/run/$stage" >"$made/$stage.dropped.jsonl"
done
documents "$work/run/dedup" >"$made/dedup.jsonl"
cp "$work/run/tokenizer/vocab.tiktoken" "$made/"
# The report names the compressed parts that were read; they follow libzstd's version.
"$python" -c '
import json, sys
report = json.load(sys.stdin)
del report["options"]["inputs"]
json.dump(report, sys.stdout, indent=1)
print()' <"$work/run/tokenizer/report.json" >"$made/tokenizer.report.json"
# Token and document files of the store, without those that follow libzstd's version.
"$python" -c '
import json, sys
manifest = json.load(sys.stdin)
del manifest["parts"]
for split in manifest["splits"].values():
    for segment in split["segments"]:
        segment["files"] = {k: v for k, v in segment["files"].items() if k in ("tok", "doc")}
json.dump(manifest, sys.stdout, indent=1, sort_keys=True)
print()' <"$work/run/store/manifest.json" >"$made/store.manifest.json"
"$sluice" inspect "$work/run/store" >"$made/store.inspect.txt"
"$sluice" verify "$work/run/store" >"$work/verify.txt" || { cat "$work/verify.txt"; exit 1; }

# The shell chain gives the same documents.
"$sluice" extract fixtures/crawl --quiet | "$sluice" filter --recipe web --quiet | "$sluice" dedup --quiet -o "$work/chain"
documents "$work/chain" | cmp - "$made/dedup.jsonl" || { echo "small pipeline: the shell chain gives other documents than run" >&2; exit 1; }

if [ "$mode" = write ]; then
  rm -rf fixtures/expected
  cp -r "$made" fixtures/expected
  du -sh fixtures/expected
else
  diff -r fixtures/expected "$made" || { echo "small pipeline: outputs changed; if that is meant, run make expected" >&2; exit 1; }
  echo "small pipeline: all outputs as expected"
fi
