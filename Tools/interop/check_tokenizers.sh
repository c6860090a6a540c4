#!/usr/bin/env bash
# Trains a tokenizer with each pattern, encodes, and compares the ids with those of Hugging Face tokenizers and tiktoken
# reading the files that sluice wrote. Called by run.sh, which sets SLUICE and SLUICE_SHARED.
#
# SLUICE_TOKENIZER_VENV  a ready environment; without it one is made in $CACHE/tokenizer-venv
set -euo pipefail
: "${SLUICE:?}" "${SLUICE_SHARED:?}"
CACHE=${CACHE:-.cache}
venv=${SLUICE_TOKENIZER_VENV:-$CACHE/tokenizer-venv}
if [ ! -f "$venv/.ready" ] && [ -z "${SLUICE_TOKENIZER_VENV:-}" ]; then
  mkdir -p "$CACHE"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" --quiet --disable-pip-version-check install tokenizers==0.23.3 tiktoken==0.14.0 zstandard
  touch "$venv/.ready"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Real and hostile texts: fixtures of our own, and the texts of the goldens where they are.
"$venv/bin/python" - "$work/documents.jsonl" fixtures/jsonl/*.jsonl "$SLUICE_SHARED"/golden/bpe-train/corpora/*.jsonl \
  "$SLUICE_SHARED"/golden/tokens.jsonl <<'PYTHON'
import json, os, sys
with open(sys.argv[1], "w", encoding="utf-8", newline="\n") as output:
    number = 0
    for path in filter(os.path.exists, sys.argv[2:]):
        with open(path, "rb") as lines:
            for line in lines:
                try:
                    text = json.loads(line.decode())["text"]
                except (ValueError, KeyError, TypeError):
                    continue  # fixtures hold broken lines on purpose
                if isinstance(text, str):
                    output.write(json.dumps({"id": str(number), "text": text}) + "\n")
                    number += 1
PYTHON

failures=0
for options in "--pattern gpt2" "--pattern cl100k" "--pattern o200k" "--pattern cl100k --legacy-merges" \
  "--pattern o200k --special-tokens <s>,</s> --special-first"; do
  rm -rf "$work/tok" "$work/encoded"
  # shellcheck disable=SC2086  # The options are words.
  "$SLUICE" train "$work/documents.jsonl" --vocab-size 3000 $options -o "$work/tok" --quiet
  "$SLUICE" encode "$work/documents.jsonl" --tokenizer "$work/tok" -o "$work/encoded" --quiet
  echo "$options"
  "$venv/bin/python" Tools/interop/tokenizer_parity.py "$work/tok" "$work/encoded/part-00000.jsonl.zst" || failures=$((failures + 1))
done
[ "$failures" = 0 ] || { echo "tokenizers: $failures of 5 differ" >&2; exit 1; }
