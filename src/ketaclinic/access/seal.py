"""Keys under which a browser keeps what one person typed: they come with a page and stand on no disk of a device."""

from __future__ import annotations

from base64 import b64encode

from django.utils.crypto import salted_hmac


def seal_for(purpose: str, person: int) -> str:
    """Return the key (base64, 32 bytes) of one person for one purpose, the same whenever they sign in again."""
    return b64encode(salted_hmac(f"ketaclinic.{purpose}", str(person), algorithm="sha256").digest()).decode()
