#!/usr/bin/env bash
# Documents -> token store -> exports; each export is read by its real reader and compared with the jsonl export, then damaged:
# `sluice verify` and the reader must both notice. Called by run.sh, which sets SLUICE, SLUICE_SHARED and PYTHON.
set -euo pipefail
: "${SLUICE:?}" "${SLUICE_SHARED:?}" "${PYTHON:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
reader=$SLUICE_SHARED/interop/read_export.py
vocab=$SLUICE_SHARED/vocab
failures=0

say() { printf '%-5s %-4s %-10s %s\n' "$@"; }
# pass WIDTH FORMAT WHAT COMMAND…: the command must succeed.
pass() {
  local width=$1 format=$2 what=$3
  shift 3
  if "$@" >"$work/out" 2>"$work/err"; then
    # Of a reader's JSON: who read how much.
    say ok "$width" "$format" "$what: $(sed -E 's/^\{("documents.*), "fnv1a64".*("reader": "[^"]*").*/\1, \2/; s/^.*: (token store|export)/\1/' "$work/out" | tail -n 1)"
  else
    say FAIL "$width" "$format" "$what: $(tail -n 1 "$work/err")"
    failures=$((failures + 1))
  fi
}
# caught WIDTH FORMAT WHAT COMMAND…: the command must fail.
caught() {
  local width=$1 format=$2 what=$3
  shift 3
  if "$@" >"$work/out" 2>"$work/err"; then
    say FAIL "$width" "$format" "$what went unnoticed"
    failures=$((failures + 1))
  else
    say ok "$width" "$format" "$what is noticed: $(tail -n 1 "$work/err" | cut -c1-110)"
  fi
}
read_back() {
  local format=$1 path=$2
  shift 2
  "$PYTHON" "$reader" --format "$format" --path "$path" --expect "$work/expect.jsonl" "$@"
}

"$PYTHON" Tools/interop/make_documents.py 1500 fixtures/jsonl/datatrove.jsonl fixtures/jsonl/dolma.jsonl >"$work/documents.jsonl"
for width in u16 u32; do
  store=$work/store-$width
  # u16: GPT-2's 50,257 ids with end of text; u32: o200k's 199,998 without.
  case $width in
    u16) tokenizer=(--tokenizer "$vocab/gpt2_tokenizer.json") ;;
    u32) tokenizer=(--tokenizer "$vocab/o200k_base.tiktoken" --pattern o200k --eos none) ;;
  esac
  "$SLUICE" tokenize "$work/documents.jsonl" "${tokenizer[@]}" --split valid=5% --segment-bytes 500kB -o "$store" --quiet
  pass "$width" store "verify" "$SLUICE" verify "$store"
  "$SLUICE" export "$store" --format jsonl -o "$work/jsonl-$width" --quiet
  cp "$work/jsonl-$width/train.jsonl" "$work/expect.jsonl"
  for format in datatrove megatron; do
    export=$work/$format-$width
    "$SLUICE" export "$store" --format "$format" -o "$export" --quiet
    case $format in datatrove) data=ds sidecar=ds.index ;; megatron) data=bin sidecar=idx ;; esac
    for segment in "$store"/train/*.tok; do
      number=${segment##*seg-}
      linked=$export/train-${number%.tok}.$data
      [ "$segment" -ef "$linked" ] || { say FAIL "$width" "$format" "$linked is no link of the segment"; failures=$((failures + 1)); }
    done
    pass "$width" "$format" "read and equal" read_back "$format" "$export" --dtype "$width"
    pass "$width" "$format" "in windows" read_back "$format" "$export" --seq-len 128
    pass "$width" "$format" "verify" "$SLUICE" verify "$export"
    for damage in flipped short lost; do
      broken=$work/broken
      rm -rf "$broken"
      # A copy: the export itself shares its bytes with the store.
      cp -r "$export" "$broken"
      chmod -R u+w "$broken"
      case $damage in
        flipped) "$PYTHON" -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(1000); b = f.read(1)[0]; f.seek(1000); f.write(bytes([b ^ 1]))' "$broken/train-00001.$data" ;;
        short) truncate -s -4 "$broken/train-00001.$data" ;;
        lost) rm "$broken/train-00001.$sidecar" ;;
      esac
      caught "$width" "$format" "a file $damage, by sluice verify," "$SLUICE" verify --quiet "$broken"
      caught "$width" "$format" "a file $damage, by the reader," read_back "$format" "$broken"
    done
  done
done
echo "$failures failures"
[ "$failures" -eq 0 ]
