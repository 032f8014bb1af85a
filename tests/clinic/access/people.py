"""Somebody at the sign-in page: what they type, and the app on their phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.http import HttpResponse
from django.test import Client

from ketaclinic.access import factors
from ketaclinic.access.actions.own import note_factor
from ketaclinic.people.models import Staff, User

PASSWORD = "correct horse battery"


def code_at(secret: str, at: datetime) -> str:
    """Return what the app shows at a moment."""
    return format_hotp_value(hotp_value(secret, int(at.timestamp()) // 30))


@dataclass
class Phone:
    """An app with one secret."""

    secret: str = field(default_factory=factors.new_app_secret)

    def shows(self, at: datetime) -> str:
        return code_at(self.secret, at)


def with_app(member: Staff | User, at: datetime) -> Phone:
    """Give a person an app as second factor, set up long before ``at``."""
    user = member if isinstance(member, User) else member.user
    phone = Phone()
    assert factors.add_app(user, phone.secret, phone.shows(at), at)
    note_factor(user=user, what="app", at=at)
    return phone


def type_password(client: Client, username: str, password: str = PASSWORD, **extra: Any) -> Any:
    """Send user name and password."""
    return client.post("/sign-in/", {"username": username, "password": password}, **extra)


def type_code(client: Client, code: str, **extra: Any) -> Any:
    """Send the second factor."""
    return client.post("/sign-in/second/", {"code": code}, **extra)


def sign_in(client: Client, member: Staff, phone: Phone, at: datetime, **extra: Any) -> HttpResponse:
    """Go the whole way in."""
    first = type_password(client, member.user.username, **extra)
    assert first.status_code == 302 and first["Location"] == "/sign-in/second/", first.status_code
    reply: HttpResponse = type_code(client, phone.shows(at), **extra)
    assert reply.status_code == 302, reply.content.decode()[-800:]
    return reply


def is_in(client: Client) -> bool:
    """Return whether the browser is signed in and open."""
    return bool(client.get("/account/").status_code == 200)
