#!/usr/bin/env bash
# make interop: what sluice writes, read by the libraries that training code uses; and our own reader for trainers beside sluice.
#
#   usage: run.sh SLUICE
#
# SLUICE_SHARED         folder with interop/ (default: ../shared beside the repository)
# SLUICE_INTEROP_VENV   a ready environment; without it one is made in $CACHE/interop-venv (minutes, once)
# SLUICE_TOKENIZER_VENV a ready environment with tokenizers and tiktoken; without it one is made in $CACHE/tokenizer-venv
# TORCH_WHEEL_DIR       folder with a CPU wheel of torch; without it torch comes from the package index (6 GB)
set -euo pipefail
SLUICE=$(realpath "${1:?usage: run.sh SLUICE}")
cd "$(dirname "$0")/../.."
export SLUICE
export SLUICE_SHARED=${SLUICE_SHARED:-$PWD/../shared}
CACHE=${CACHE:-.cache}

if [ ! -f "$SLUICE_SHARED/interop/read_export.py" ]; then
  echo "interop: $SLUICE_SHARED/interop is missing. Set SLUICE_SHARED to the folder that holds interop/." >&2
  exit 2
fi
venv=${SLUICE_INTEROP_VENV:-$CACHE/interop-venv}
if [ ! -x "$venv/bin/python" ] || { [ -z "${SLUICE_INTEROP_VENV:-}" ] && [ ! -f "$venv/.ready" ]; }; then
  echo "== environment in $venv"
  mkdir -p "$CACHE"
  rm -rf "$venv"
  bash "$SLUICE_SHARED/interop/make_venv.sh" "$venv"
  touch "$venv/.ready"
fi
export PYTHON=$venv/bin/python
# The virtual environment's interpreter must not be followed to the system's one: it would lose its packages.
case $PYTHON in /*) ;; *) PYTHON=$PWD/$PYTHON ;; esac

echo "== exports"
bash Tools/interop/check_exports.sh
echo "== tokenizers"
bash Tools/interop/check_tokenizers.sh
echo "== the reader for trainers"
"$PYTHON" Tools/interop/check_reader.py
"$PYTHON" clients/python/tests/test_sluice_view.py
echo "== topology"
"$PYTHON" Tools/interop/check_topology.py 2>/dev/null
