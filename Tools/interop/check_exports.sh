#!/usr/bin/env bash
# What sluice exports, read by the libraries that training code uses, compared and then damaged: see check_exports.py. Called by
# run.sh, which sets SLUICE, SLUICE_SHARED and PYTHON; arguments are names of formats (default: all).
set -euo pipefail
: "${SLUICE:?}" "${SLUICE_SHARED:?}" "${PYTHON:?}"
exec "$PYTHON" Tools/interop/check_exports.py "$@"
