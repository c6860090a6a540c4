#!/usr/bin/env python3
"""Checks that Hugging Face tokenizers and tiktoken give the ids that sluice gives.

  tokenizer_parity.py TOKENIZER ENCODED [--limit N]

TOKENIZER is a tokenizer folder that sluice wrote: Hugging Face loads its tokenizer.json, and tiktoken's ranks are its
vocab.tiktoken, with the pattern and the special tokens that report.json names. ENCODED is the output of `sluice encode`
with that tokenizer: JSON lines with "text" and "tokens", plain or zstd (`-` for standard input). Prints what was
compared; exit 1 if an id differs, 2 if there was nothing to compare.

Needs: tokenizers==0.23.3 tiktoken==0.14.0 (and zstandard for compressed parts).
"""
import argparse
import base64
import io
import json
import os
import sys


def lines_of(path):
    """The lines of a file; split at LF only, as texts hold other line separators."""
    raw = sys.stdin.buffer if path == "-" else open(path, "rb")
    if path != "-":
        magic = raw.read(4)
        raw.seek(0)
        if magic == b"\x28\xb5\x2f\xfd":
            import zstandard
            raw = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
    for line in io.BufferedReader(raw) if path != "-" else raw:
        if line.strip():
            yield json.loads(line)


def tiktoken_encoding(folder):
    """The ranks of vocab.tiktoken, read here so that no cache or network takes part."""
    import tiktoken
    with open(os.path.join(folder, "report.json"), encoding="utf-8") as f:
        report = json.load(f)
    ranks = {}
    with open(os.path.join(folder, "vocab.tiktoken"), "rb") as f:
        for line in f:
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
    return tiktoken.Encoding("sluice", pat_str=report["regex"], mergeable_ranks=ranks,
                             special_tokens=report["special_tokens"])


def hugging_face(folder):
    """tokenizer.json without its special tokens: they are ordinary text here, but Hugging Face always matches them."""
    from tokenizers import Tokenizer
    path = os.path.join(folder, "tokenizer.json")
    loaded = Tokenizer.from_file(path)
    with open(path, encoding="utf-8") as f:
        model = json.load(f)
    for special in model["added_tokens"]:
        if loaded.token_to_id(special["content"]) != special["id"]:
            sys.exit("%s has the id %s in the file and %s when loaded" % (
                special["content"], special["id"], loaded.token_to_id(special["content"])))
    model["added_tokens"] = []
    return Tokenizer.from_str(json.dumps(model))


def main():
    parser = argparse.ArgumentParser(description="Compares sluice's ids with Hugging Face's and tiktoken's.")
    parser.add_argument("tokenizer", help="tokenizer folder")
    parser.add_argument("encoded", help="output of sluice encode, - for standard input")
    parser.add_argument("--limit", type=int, help="compare so many documents only")
    options = parser.parse_args()

    peers = {"tokenizers": hugging_face(options.tokenizer), "tiktoken": tiktoken_encoding(options.tokenizer)}
    documents = tokens = size = 0
    differ = dict.fromkeys(peers, 0)
    for document in lines_of(options.encoded):
        if options.limit is not None and documents >= options.limit:
            break
        text, ours = document["text"], document["tokens"]
        documents += 1
        tokens += len(ours)
        size += len(text.encode())
        theirs = {
            "tokenizers": peers["tokenizers"].encode(text, add_special_tokens=False).ids,
            "tiktoken": peers["tiktoken"].encode_ordinary(text),
        }
        for name, ids in theirs.items():
            if ids == ours:
                continue
            differ[name] += 1
            if differ[name] <= 3:
                at = next((i for i, (a, b) in enumerate(zip(ids, ours)) if a != b), min(len(ids), len(ours)))
                print("%s differs in %s at token %d: %s, ours %s" % (
                    name, document.get("id"), at, ids[at:at + 5], ours[at:at + 5]))
        if peers["tiktoken"].decode_bytes(ours) != text.encode():
            differ["tiktoken"] += 1
            print("decoding %s does not give its text" % document.get("id"))
    print("%d documents, %d bytes, %d tokens" % (documents, size, tokens))
    for name, count in differ.items():
        print("%s: %s" % (name, "equal" if count == 0 else "%d documents differ" % count))
    return 2 if documents == 0 else 1 if any(differ.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
