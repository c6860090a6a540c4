#!/usr/bin/env python3
"""Writes a corpus of short documents with planted copies, as JSON lines: what the memory bound of `sluice dedup` is tested on.

Each document has 40 words of a vocabulary of 300,000, so documents share no shingle by chance. One in ten is a copy of one of
the first 100,000 documents: half of the copies are exact, the others have one word changed at either end of the text (true
Jaccard similarity 35/37 = 0.946) or in its middle (31/41 = 0.756, below the usual threshold). A signature takes 144 bytes:
4,500,000 documents make 648 MB of signatures.

Usage: generate_dedup_corpus.py [--documents N] [--files N] [--seed N] FOLDER
"""
import argparse
import os
import random


def word(number):
    letters = ""
    while True:
        letters += chr(97 + number % 26)
        number //= 26
        if not number:
            return letters


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--documents", type=int, default=4_500_000)
    parser.add_argument("--files", type=int, default=9)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    numbers = random.Random(options.seed)
    words = [word(number) for number in range(300_000)]
    originals = []
    planted = {"exact": 0, "near": 0, "far": 0}
    os.makedirs(options.folder, exist_ok=True)
    per_file = -(-options.documents // options.files)
    for file_number in range(options.files):
        first = file_number * per_file
        with open(os.path.join(options.folder, f"part-{file_number:03}.jsonl"), "w") as out:
            for number in range(first, min(first + per_file, options.documents)):
                if number % 10 == 9 and originals:
                    text = list(originals[int(numbers.random() * len(originals))])
                    kind = ("exact", "near", "exact", "far")[number // 10 % 4]
                    planted[kind] += 1
                    if kind == "near":
                        text[-1] = "changed"
                    elif kind == "far":
                        text[20] = "changed"
                else:
                    text = numbers.choices(words, k=40)
                    if len(originals) < 100_000:
                        originals.append(text)
                out.write('{"id":"bench/%d","text":"%s","source":"bench"}\n' % (number, " ".join(text)))
    print(f"{options.documents} documents, planted copies: {planted}")


main()
