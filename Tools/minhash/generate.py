#!/usr/bin/env python3
"""Writes the constants of the MinHash permutations, Sources/Deduplication/MinHashConstants.swift.

Source: datatrove 0.10.1, pipeline/dedup/minhash.py: NumPy's RandomState(1) draws 112 multipliers in [1, 2^61 - 1), then
112 additions in [0, 2^61 - 1). NumPy keeps the legacy generator's stream frozen (NEP 19), so the values never change.

Usage: python3 Tools/minhash/generate.py > Sources/Deduplication/MinHashConstants.swift
"""
import numpy

COUNT = 112
MODULUS = (1 << 61) - 1


def table(name, comment, values):
    print(f"  /// {comment}")
    print(f"  static let {name}: [UInt64] = [")
    for start in range(0, COUNT, 4):
        print("    " + ", ".join(str(value) for value in values[start : start + 4]) + ",")
    print("  ]")


random = numpy.random.RandomState(1)
multipliers = [int(v) for v in random.randint(1, MODULUS, dtype=numpy.uint64, size=COUNT)]
additions = [int(v) for v in random.randint(0, MODULUS, dtype=numpy.uint64, size=COUNT)]
print("// Made by Tools/minhash/generate.py; do not edit.")
print()
print("/// Constants of the 112 permutations: NumPy's RandomState(1), as datatrove 0.10.1 draws them.")
print("enum MinHashConstants {")
table("multipliers", "In [1, 2^61 - 1).", multipliers)
table("additions", "In [0, 2^61 - 1).", additions)
print("}")
