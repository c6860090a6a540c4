#!/usr/bin/env bash
# Indices per second of the keyed permutation: compiles the product's own source into a small program, and runs it.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
grep -v '^import ' Sources/Sharding/Views/KeyedPermutation.swift >"$folder/KeyedPermutation.swift"
cp Sources/Sharding/LittleEndian.swift "$folder"
swiftc -O -whole-module-optimization -parse-as-library -swift-version 6 -module-name permutation -o "$folder/permutation" \
  Benchmarks/sharding/permutation.swift "$folder"/*.swift
"$folder/permutation"
