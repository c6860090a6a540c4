"""Documents for the checks of exports: sentences of the fixtures, drawn with a fixed seed.

usage: make_documents.py COUNT FILE.jsonl... > documents.jsonl
"""

import json
import random
import re
import sys


def main():
    count, paths = int(sys.argv[1]), sys.argv[2:]
    sentences = []
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                sentences += [s for s in re.split(r"(?<=[.!?。।])\s*", json.loads(line)["text"]) if s]
    draw = random.Random(7)
    for number in range(count):
        # Some without text, some of one sentence, a few long ones.
        length = draw.choice([0, 1, 2, 5, 20, 60]) if number % 50 else 400
        print(
            json.dumps(
                {
                    "id": f"made/{number}",
                    "text": " ".join(draw.choice(sentences) for _ in range(length)),
                    "source": ["web", "wiki", "code"][number % 3],
                    "url": f"https://example.org/{number}",
                    "metadata": {"dump": f"made/part-{number % 4}.warc.gz", "offset": 100 * number, "record_id": f"<urn:made:{number}>"},
                },
                ensure_ascii=False,
            )
        )


main()
