#!/usr/bin/env python3
"""Writes a corpus whose MinHash signatures are larger than memory: make_corpus.py DOCUMENTS > corpus.jsonl

Short documents (80 words of a made-up vocabulary); every tenth is a near copy of the one before it (1 of 80 words replaced), every
fiftieth an exact one. 700,000 documents have 627 MB of signatures (112 values of 8 bytes each). The same bytes in every run.
"""
import json
import random
import sys

SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]


def main(count):
    rng = random.Random(7)
    words = ["".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4))) for _ in range(20000)]
    last = []
    for number in range(count):
        if number % 50 == 49:
            text = last
        elif number % 10 == 9:
            text = list(last)
            for place in rng.sample(range(len(text)), 1):
                text[place] = rng.choice(words)
        else:
            text = rng.choices(words, k=80)
        last = text
        sys.stdout.write(json.dumps({"id": "made/%d" % number, "text": " ".join(text)}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
