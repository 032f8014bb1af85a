"""From bytes to a JSON document: encoding, size, depth, duplicate keys, numbers that are none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from ketaclinic.interfaces.fhir.incoming.values import Unreadable

_MAGIC = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"(\xb5/\xfd": "a zstd archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"GIF8": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<": "XML or HTML",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
_STRUCTURE = "{[,"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything one file may hold."""

    bytes: int = 50 * 1024 * 1024
    depth: int = 60
    resources: int = 100_000
    values: int = 4_000_000
    """Values that are counted before anything is built: each costs memory, however short it is written."""

    def check_size(self, size: int) -> None:
        """Raise ``Unreadable`` for a file larger than the limit, before it is read."""
        if size > self.bytes:
            raise Unreadable(f"the file is larger than the limit of {self.bytes / 1024 / 1024:g} MB")


def read_document(data: bytes, limits: Limits) -> dict[str, Any]:
    """Return the JSON object in ``data``; raises ``Unreadable`` for anything else."""
    limits.check_size(len(data))
    if not data or data.isspace():
        raise Unreadable("the file is empty")
    for magic, what in _MAGIC.items():
        if data.startswith(magic):
            raise Unreadable(f"the file is {what}; only plain JSON in UTF-8 is read, unpacked")
    text = _decode(data)
    if sum(text.count(sign) for sign in _STRUCTURE) > limits.values:
        raise Unreadable(f"the JSON holds more than {limits.values:,} values")
    document = _parse(text)
    if not isinstance(document, dict):
        raise Unreadable("the file is JSON, but not a FHIR resource (an object was expected)")
    _check_depth(document, limits.depth)
    return document


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"the file is not valid UTF-8 (byte {error.start + 1})") from None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_no_number)
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"the file is not valid JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        ) from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("the JSON holds a number with too many digits") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Unreadable("the JSON names the same field twice in one object")
    return result


def _number(text: str) -> Decimal:
    number = Decimal(text) if len(text) <= 60 else None
    if number is None or abs(number.adjusted()) > 30:
        raise Unreadable("the JSON holds a number beyond every measurement")
    return number


def _no_number(name: str) -> NoReturn:
    raise Unreadable(f"the JSON holds {name}, which is not a number")


def _check_depth(document: Any, deepest: int) -> None:
    level: list[Any] = [document]
    for _ in range(deepest):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(v for v in node.values() if isinstance(v, dict | list))
            else:
                below.extend(v for v in node if isinstance(v, dict | list))
        if not below:
            return
        level = below
    raise Unreadable(f"the JSON is nested more than {deepest} levels deep")
