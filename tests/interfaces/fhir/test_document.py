"""Bytes that must not come in are refused with one sentence."""

from __future__ import annotations

import gzip
import io
import json
import time
import zipfile

import pytest

from ketaclinic.interfaces.fhir.incoming import Limits, Unreadable, read_document


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bundle.json", b"0" * 10_000_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"  \n\t ", "empty"),
        (b"{", "not valid JSON"),
        (b"hello", "not valid JSON"),
        (b"[]", "not a FHIR resource"),
        (b'"text"', "not a FHIR resource"),
        (b"null", "not a FHIR resource"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999999999}', "beyond every measurement"),
        (b'{"a": 0.' + b"1" * 100 + b"}", "beyond every measurement"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"x": {"a": 1, "b": 2, "a": 1}}', "twice"),
        (b"\xff\xfe{}", "UTF-8"),
        (b'{"a": "\xc3("}', "UTF-8"),
        (zip_bomb(), "zip"),
        (gzip.compress(b"0" * 10_000_000), "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "nested"),
        (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "nested"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    ],
)
def test_refused(data: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        read_document(data, Limits())


def test_larger_than_the_limit() -> None:
    with pytest.raises(Unreadable, match="larger than the limit of 1 MB"):
        read_document(b" " * (1024 * 1024 + 1), Limits(bytes=1024 * 1024))


def test_many_long_near_misses_stay_fast() -> None:
    started = time.perf_counter()
    with pytest.raises(Unreadable):
        read_document(json.dumps({"a": ["x" * 1000] * 20_000}).encode()[:-1], Limits())
    assert time.perf_counter() - started < 2


def test_a_byte_order_mark_does_no_harm() -> None:
    assert read_document(b"\xef\xbb\xbf{}", Limits()) == {}
