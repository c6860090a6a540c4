#!/usr/bin/env bash
# Makes every generated table again and compares it with the committed one. A line per table: what makes it.
# Needs pinned packages in a Python environment of its own; where pip cannot reach its index, that is said and skipped.
set -eu
cd "$(dirname "$0")/../.."
environment=${CACHE:-.cache}/tables
made=$(mktemp)
trap 'rm -f "$made"' EXIT

compare() {
  local table=$1
  shift
  "$@" >"$made"
  if cmp -s "$made" "$table"; then
    echo "same: $table"
  else
    echo "$table is not what its generator makes: $*" >&2
    exit 1
  fi
}

compare Sources/Deduplication/MinHashConstants.swift "${PYTHON:-python3}" Tools/minhash/generate.py

if [ ! -x "$environment/bin/python" ] || ! "$environment/bin/python" -c 'import unicodedata2' 2>/dev/null; then
  "${PYTHON:-python3}" -m venv "$environment"
  if ! "$environment/bin/pip" install -q --disable-pip-version-check unicodedata2==16.0.0 2>/dev/null; then
    echo "skipped: generated tables (pip cannot install unicodedata2==16.0.0 here)"
    exit 0
  fi
fi

# Str.lower and str.upper of Python stand in the tables: another Unicode version of Python would give other ones.
python=$environment/bin/python
if [ "$("$python" -c 'import unicodedata; print(unicodedata.unidata_version)')" != 14.0.0 ]; then
  echo "skipped: generated tables (they need the Unicode 14 of CPython 3.11)"
  exit 0
fi

compare Sources/CKernels/unicode_tables.c "$python" Tools/unicode/generate.py
