"""Only a proxy of ours may say that the browser came over TLS, and from where."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("address", "lands"), [("192.0.2.7", 301), ("10.0.0.1", 200), ("::ffff:10.0.0.1", 200)])
def test_a_stranger_cannot_say_that_he_came_over_tls(settings: Any, address: str, lands: int) -> None:
    settings.PROXIES = (ip_network("10.0.0.0/24"),)
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    reply = Client().get("/sign-in/", REMOTE_ADDR=address, HTTP_X_FORWARDED_PROTO="https")
    assert reply.status_code == lands
