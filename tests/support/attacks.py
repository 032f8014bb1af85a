"""Files nobody should send, and text nobody should type: what an attacker would try, with the word that refuses it."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from tests.interfaces.fhir.bundles import ALL, PATIENT, as_bytes, bundle

MB = 1024 * 1024
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless text by which every virus scanner shows that it looks."""
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.__pwned=1"><script>window.__pwned=1</script></svg>'


def zipped(name: str, data: bytes) -> bytes:
    """Return a zip archive of one file."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return box.getvalue()


def _png(width: int, height: int) -> bytes:
    """Return a small PNG that unfolds to ``width`` × ``height`` white points."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * ((width // 8 + 1) * height), 9)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _laughs() -> bytes:
    lines = ['<!ENTITY l0 "ha">', *(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))]
    return f'<?xml version="1.0"?><!DOCTYPE b [{"".join(lines)}]><Bundle>&l9;</Bundle>'.encode()


def _with(**fields: Any) -> bytes:
    return as_bytes(bundle(patient={**PATIENT, **fields}))


def _twice() -> bytes:
    return as_bytes(bundle(*ALL)).replace(b'"type"', b'"type": "batch", "type"', 1)


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip bomb": (lambda: zipped("a.json", b"\0" * (64 * MB)), "a zip archive"),
    "gzip bomb": (lambda: gzip.compress(b"\0" * (64 * MB)), "a gzip archive"),
    "zip with a way out": (lambda: zipped("../../../etc/cron.d/x", b"x"), "a zip archive"),
    "picture of 30000 × 30000": (lambda: _png(30_000, 30_000), "a picture"),
    "SVG with a script": (lambda: SVG, "XML or HTML"),
    "page with a script": (lambda: b"<!doctype html><script>alert(1)</script>", "XML or HTML"),
    "GIF that is an archive": (lambda: b"GIF89a" + zipped("x.class", b"x"), "a picture"),
    "PDF that is a script": (lambda: b"%PDF-1.7\n/*" + b"*/ alert(1) /JS (app.alert(1))", "a PDF"),
    "virus test text": (lambda: EICAR, "not valid JSON"),
    "XML that grows": (_laughs, "XML or HTML"),
    "100 MB": (lambda: b'{"resourceType": "Bundle", "x": "' + b"a" * (100 * MB) + b'"}', "larger than the limit"),
    "many small values": (lambda: b"[" + b"[]," * (16 * MB) + b"[]]", "more than 4,000,000 values"),
    "depth of 100,000": (lambda: b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    "depth of 100": (lambda: b'{"a":' * 100 + b"1" + b"}" * 100, "more than 60 levels"),
    "number of 5,000 digits": (lambda: b'{"a": ' + b"9" * 5_000 + b"}", "too many digits"),
    "number beyond everything": (lambda: b'{"a": 1e999999}', "beyond every measurement"),
    "no number": (lambda: b'{"a": NaN}', "not a number"),
    "infinity": (lambda: b'{"a": -Infinity}', "not a number"),
    "field named twice": (_twice, "same field twice"),
    "UTF-16": (lambda: json.dumps({"resourceType": "Bundle"}).encode("utf-16"), "UTF-16"),
    "broken UTF-8": (lambda: b'{"a": "\xed\xa0\x80"}', "not valid UTF-8"),
    "overlong identifier": (
        lambda: _with(identifier=[{"system": "urn:x", "value": "9" * 100_000}]),
        "longer than 200 characters",
    ),
    "zero byte in a name": (lambda: _with(identifier=[{"system": "urn:x", "value": "a\0b"}]), "cannot be printed"),
    "nothing": (lambda: b"", "empty"),
}
"""What is sent, and a piece of the sentence that refuses it."""

NAMES = {
    "../../../../etc/passwd.json": "passwd.json",
    "/etc/cron.d/record.json": "record.json",
    "C:\\Windows\\record.json": "record.json",
    "a\x00b.json": "",
    "..": "",
    "<img src=x onerror=window.__pwned=1>.json": "",
    "record.json\r\nX-Evil: 1": "",
    "x" * 4_000 + ".json": "",
    "\u202egnp.json": "",
}
"""Names a file may carry, and what may be left of them (empty: anything inert, on one line, at most 120 long)."""
