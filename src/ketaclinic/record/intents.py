"""What makes a request the same request: its key, and a fingerprint of what was asked.

A browser's form carries its key in a hidden field, a device in a header. The fingerprint covers method, address and
everything sent, except the key itself and the token against forgery, which change without the intent changing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

HEADER = "Idempotency-Key"
FIELD = "intent_key"
_KEY = re.compile(r"[A-Za-z0-9_.:-]{8,64}")
_NOT_PART_OF_THE_INTENT = frozenset({FIELD, "csrfmiddlewaretoken"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def key_of(request: HttpRequest) -> str:
    """Return the key of the request, empty where it has none or one that cannot be read."""
    told = request.headers.get(HEADER, "") or str(request.POST.get(FIELD, ""))
    return told if _KEY.fullmatch(told) else ""


def from_a_form(request: HttpRequest) -> bool:
    """Return whether the key came with a form that we drew."""
    return FIELD in request.POST


def fingerprint(request: HttpRequest) -> str:
    """Return the SHA-256 of what the request asks for; files count by their content."""
    digest = hashlib.sha256()
    for part in _parts(request):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _parts(request: HttpRequest) -> Iterable[bytes]:
    yield str(request.method).encode()
    yield request.get_full_path().encode()
    if request.content_type not in _FORMS:
        yield request.body
        return
    for name, values in sorted(request.POST.lists()):
        if name not in _NOT_PART_OF_THE_INTENT:
            yield from (f"{name}={value}".encode() for value in values)
    for name, files in sorted(request.FILES.lists()):
        yield from (_file(name, file) for file in files)


def _file(name: str, file: Any) -> bytes:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return f"{name}={file.name}:{digest.hexdigest()}".encode()
