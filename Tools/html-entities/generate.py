#!/usr/bin/env python3
"""Writes Sources/CEmbedded/html-entities.tsv: one named character reference of HTML a line, `name<TAB>hex[ hex]`.

The names are those of the WHATWG list (https://html.spec.whatwg.org/entities.json), which Python's standard library
carries as html.entities.html5; 2,231 names, 106 of them also without a semicolon. Sorted by the bytes of the name.
"""
import pathlib
from html.entities import html5

target = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "CEmbedded" / "html-entities.tsv"
lines = [f"{name}\t{' '.join(f'{ord(character):X}' for character in html5[name])}" for name in sorted(html5)]
target.write_text("\n".join(lines) + "\n", encoding="ascii")
print(f"{target.name}: {len(lines)} names")
