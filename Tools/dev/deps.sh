#!/usr/bin/env bash
# Installs the system libraries that sluice links and that are missing (Debian, Ubuntu). Asks no server if all are there.
set -eu
packages=(pkg-config libisal-dev libzstd-dev libbz2-dev zlib1g-dev libxml2-dev libyaml-dev libssl-dev)

if ! command -v dpkg-query >/dev/null; then
  echo "deps: this is no Debian system. Install what these packages hold, then go on: ${packages[*]}" >&2
  exit 0
fi
missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  # pkg-config is a virtual package where pkgconf stands in for it.
  if [ "$package" = pkg-config ] && command -v pkg-config >/dev/null; then continue; fi
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo); fi
echo "deps: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
install=("${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}")
# The package lists may be missing or old: then bring them up to date and try once more.
if ! "${install[@]}" >/dev/null 2>&1; then
  "${as_root[@]}" apt-get update -q >/dev/null
  "${install[@]}" >/dev/null
fi
