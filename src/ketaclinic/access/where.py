"""From where somebody asks: their address, whether their browser is known, and what to call it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

from ketaclinic.config.proxies import client_address, parsed
from ketaclinic.people.models import User

DEVICE_COOKIE = "__Host-device" if settings.HTTPS else "device"
_SALT = "ketaclinic.access.device"
_KEPT_SECONDS = 180 * 24 * 60 * 60
_PEOPLE_ON_ONE_DEVICE = 30


@dataclass(frozen=True, slots=True)
class Where:
    """Address (an IPv6 one as its network), device and the people who have signed in on it before."""

    address: str
    device: str = ""
    marks: frozenset[str] = field(default_factory=frozenset)
    loopback: bool = False

    def knows(self, user: User | None) -> bool:
        """Return whether this browser has signed the person in before, with the password they have now."""
        return user is not None and mark_of(user) in self.marks

    def known_device(self, user: User | None) -> str:
        """Return the device if it knows the person, else nothing."""
        return self.device if self.knows(user) else ""


def where(request: HttpRequest) -> Where:
    """Return from where the request comes."""
    address = client_address(request)
    device, marks = _device(request)
    return Where(_as_one_household(address), device, marks, _from_this_machine(request, address))


def _from_this_machine(request: HttpRequest, address: str) -> bool:
    """Return whether nobody stands between: a proxy that nobody named makes strangers look local."""
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    found = parsed(address)
    return found is not None and found.is_loopback and (bool(settings.PROXIES) or not forwarded)


def _as_one_household(address: str) -> str:
    """Return an IPv6 address as its /64: whoever has one has all of it."""
    found = parsed(address)
    if isinstance(found, IPv6Address) and not found.is_loopback:
        return str(IPv6Address(int(found) >> 64 << 64))
    return address


# ---- known devices -------------------------------------------------------------------------------------------------


def mark_of(user: User) -> str:
    """Return what ties a device to a person; a new password unties it."""
    return salted_hmac(_SALT, f"{user.pk}:{user.get_session_auth_hash()}").hexdigest()[:24]


def _device(request: HttpRequest) -> tuple[str, frozenset[str]]:
    try:
        told: Any = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=_KEPT_SECONDS)
        return str(told["id"]), frozenset(str(mark) for mark in told["marks"])
    except (KeyError, TypeError, signing.BadSignature):
        return "", frozenset()


def remember_device(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Let the browser keep, signed, that this person has signed in on it."""
    device, marks = _device(request)
    newest = [mark_of(user), *sorted(marks - {mark_of(user)})][:_PEOPLE_ON_ONE_DEVICE]
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps({"id": device or secrets.token_hex(16), "marks": newest}, salt=_SALT),
        max_age=_KEPT_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPad", "iPad"),
    ("iPhone", "iPhone"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


def device_words(request: HttpRequest) -> str:
    """Return the browser as people call it: ``Chrome on Android``."""
    agent = request.headers.get("User-Agent", "")
    browser = next((word for mark, word in _BROWSERS if mark in agent), "Unknown browser")
    system = next((word for mark, word in _SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser


def is_address(host: str) -> bool:
    """Return whether a host is a bare address and no name."""
    return parsed(host.strip("[]")) is not None
