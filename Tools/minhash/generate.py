#!/usr/bin/env python3
"""Writes the constants of the MinHash permutations, Sources/Deduplication/MinHashConstants.swift.

Source: datatrove 0.10.1, pipeline/dedup/minhash.py: NumPy's RandomState(1) draws 112 multipliers in [1, 2^61 - 1), then
112 additions in [0, 2^61 - 1). NumPy keeps that generator's stream frozen (NEP 19): the Mersenne twister MT19937, seeded by
init_genrand, two 32-bit outputs to a number (the first is the high half), masked to 61 bits and drawn again where it is out of
range. Written out here, so that NumPy is not needed; the standard library has the same twister.

Usage: python3 Tools/minhash/generate.py > Sources/Deduplication/MinHashConstants.swift
"""
import random

COUNT = 112
MODULUS = (1 << 61) - 1


def twister(seed):
    """Matsumoto and Nishimura's init_genrand."""
    state = [seed]
    for index in range(1, 624):
        last = state[-1]
        state.append((1812433253 * (last ^ (last >> 30)) + index) & 0xFFFFFFFF)
    generator = random.Random()
    generator.setstate((3, (*state, 624), None))
    return generator


def draw(generator, low, high):
    """A number in [low, high)."""
    span = high - 1 - low
    mask = (1 << span.bit_length()) - 1
    while True:
        value = (generator.getrandbits(32) << 32 | generator.getrandbits(32)) & mask
        if value <= span:
            return low + value


def table(name, comment, values):
    print(f"  /// {comment}")
    print(f"  static let {name}: [UInt64] = [")
    for start in range(0, COUNT, 4):
        print("    " + ", ".join(str(value) for value in values[start : start + 4]) + ",")
    print("  ]")


generator = twister(1)
multipliers = [draw(generator, 1, MODULUS) for _ in range(COUNT)]
additions = [draw(generator, 0, MODULUS) for _ in range(COUNT)]
print("// Made by Tools/minhash/generate.py; do not edit.")
print()
print("/// Constants of the 112 permutations: NumPy's RandomState(1), as datatrove 0.10.1 draws them.")
print("enum MinHashConstants {")
table("multipliers", "In [1, 2^61 - 1).", multipliers)
table("additions", "In [0, 2^61 - 1).", additions)
print("}")
