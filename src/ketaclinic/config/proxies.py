"""From which address somebody asks: what a proxy says about it counts only from a proxy of ours."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

NOWHERE = "0.0.0.0"


def client_address(request: HttpRequest) -> str:
    """Return the address of the browser; ``X-Forwarded-For`` counts only as far as our own proxies wrote it."""
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    address = request.META.get("REMOTE_ADDR") or NOWHERE
    while hops and is_proxy(address):
        address = hops.pop()
    found = parsed(address)
    return str(found) if found else str(request.META.get("REMOTE_ADDR") or NOWHERE)[:45]


def is_proxy(address: str) -> bool:
    """Return whether an address is that of a proxy of ours (``KETACLINIC_PROXIES``)."""
    found = parsed(address)
    return found is not None and any(found in network for network in settings.PROXIES)


def parsed(address: str) -> IPv4Address | IPv6Address | None:
    """Return an address, an IPv4 one also where it is written as IPv6; ``None`` for what is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def believe_only_proxies(request: HttpRequest) -> None:
    """Forget what a stranger says about TLS: only a proxy of ours knows whether the browser came by it."""
    if not is_proxy(str(request.META.get("REMOTE_ADDR", ""))):
        request.META.pop("HTTP_X_FORWARDED_PROTO", None)
