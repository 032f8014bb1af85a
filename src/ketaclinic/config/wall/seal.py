"""The sealed settings of a connection: a value without the right seal counts as nothing said."""

from __future__ import annotations

import hmac
from hashlib import sha256

from django.conf import settings

BLOCK = sha256().block_size
CLINIC, USER, OPENED = "ketaclinic.clinic", "ketaclinic.user", "ketaclinic.opened"
OWNER = "ketaclinic.owner"
"""Set by commands that run under the owner of the tables; the server never sets it."""


def key() -> bytes:
    """Return the key of the seals, derived from the server's secret key."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"ketaclinic second wall", "sha256")


def pads() -> tuple[bytes, bytes]:
    """Return the inner and the outer key of HMAC-SHA-256: PostgreSQL has sha256, but no HMAC."""
    padded = key().ljust(BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)


def sealed(setting: str, value: str) -> str:
    """Return a value with its seal, as the database takes it; nothing stays nothing."""
    if not value:
        return ""
    return f"{value}:{hmac.new(key(), f'{setting}={value}'.encode(), sha256).hexdigest()}"
