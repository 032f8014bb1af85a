"""Second factors: codes from an app, passkeys, recovery codes. django-allauth keeps and checks them.

What is ours: secrets are encrypted in the database with the server's secret key, a code from an app holds once in all
workers (the library remembers used codes per process only), and the clock is the request's.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.webauthn.internal import auth as webauthn
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.encoding import force_bytes

from ketaclinic.access.where import is_address
from ketaclinic.config.wall.standing import let_in, opened
from ketaclinic.people.models import User

_BROKEN = (ValidationError, ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error, InvalidSignature)
"""What the library raises at a passkey's answer that is wrong or that nobody's device has made."""


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Where the library asks us: names, and how secrets are kept."""

    def get_totp_label(self, user: Any) -> str:
        """Return what the app shows under the clinic's name."""
        return str(user.get_username())

    def get_totp_issuer(self) -> str:
        """Return what the app shows as the name of the entry."""
        return "Ketaclinic"

    def _get_site_name(self) -> str:
        return "Ketaclinic"

    def encrypt(self, text: str) -> str:
        """Return a secret as it is kept in the database."""
        return _vault().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret from the database."""
        return _vault().decrypt(encrypted_text.encode()).decode()


def _vault() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = [hashlib.sha256(b"ketaclinic.access.factors:" + force_bytes(key)).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


# ---- what a person has ---------------------------------------------------------------------------------------------


def factors_of(user: User) -> list[Authenticator]:
    """Return the person's second factors in the order in which they were set up; recovery codes are none."""
    found = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return list(found.order_by("created_at", "pk"))


def has_factor(user: User) -> bool:
    """Return whether the person has a second factor."""
    return bool(factors_of(user))


def has_app(user: User) -> bool:
    """Return whether the person has set up an app that shows codes."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists())


def has_passkey(user: User) -> bool:
    """Return whether the person has a passkey."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists())


def remove_all(user: User) -> None:
    """Take all second factors and recovery codes away."""
    Authenticator.objects.filter(user=user).delete()


# ---- codes from an app ---------------------------------------------------------------------------------------------


def new_app_secret() -> str:
    """Return a new secret that app and server will share."""
    return str(generate_totp_secret())


def app_picture(user: User, secret: str) -> str:
    """Return the square that the app's camera reads, as SVG without a document header."""
    adapter = get_adapter()
    drawn = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    begin: int = drawn.index("<svg")
    return str(drawn[begin:])


def add_app(user: User, secret: str, code: str, at: datetime) -> bool:
    """Set up the app if its code is right; return whether it was."""
    counter = _counter_of(secret, code, at)
    if counter is None or has_app(user):
        return False
    kept = TOTP.activate(user, secret).instance
    kept.data["last_counter"] = counter
    kept.save(update_fields=["data"])
    return True


@transaction.atomic
def app_code_holds(user: User, code: str, at: datetime) -> bool:
    """Return whether the code is right now and was not used before."""
    kept = Authenticator.objects.select_for_update().filter(user=user, type=Authenticator.Type.TOTP).first()
    if kept is None:
        return False
    try:
        counter = _counter_of(get_adapter().decrypt(kept.data["secret"]), code, at)
    except InvalidToken:  # the server's secret key is another one than when the app was set up
        return False
    if counter is None or counter <= kept.data.get("last_counter", 0):
        return False
    kept.data["last_counter"] = counter
    kept.last_used_at = at
    kept.save(update_fields=["data", "last_used_at"])
    return True


def _counter_of(secret: str, code: str, at: datetime) -> int | None:
    """Return the half minute for which an app shows this code, looking one half minute back and ahead."""
    typed = "".join(code.split())
    now, tolerance = int(at.timestamp()) // app_settings.TOTP_PERIOD, app_settings.TOTP_TOLERANCE
    shown = {n: format_hotp_value(hotp_value(secret, n)) for n in range(now - tolerance, now + tolerance + 1)}
    return next((n for n, right in shown.items() if constant_time_compare(typed, right)), None)


# ---- recovery codes ------------------------------------------------------------------------------------------------


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Make ten codes that each hold once; those from before hold no longer."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    return recovery_codes(user)


def recovery_codes(user: User) -> list[str]:
    """Return the codes that were not used yet."""
    return [str(code) for code in RecoveryCodes.activate(user).get_unused_codes()]


def recovery_code_holds(user: User, code: str) -> bool:
    """Return whether it is one of the person's codes; it holds this once."""
    kept = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    if kept is None:
        return False
    try:
        return bool(RecoveryCodes(kept).validate_code("".join(code.split()).replace("-", "")))
    except InvalidToken:
        return False


# ---- passkeys ------------------------------------------------------------------------------------------------------


def passkeys_work_at(request: HttpRequest) -> bool:
    """Return whether a browser offers passkeys here: for a host name, not for a bare address."""
    return not is_address(urlsplit(f"//{request.get_host()}").hostname or "")


def offer_registration(user: User) -> dict[str, Any]:
    """Return what the browser needs to make a passkey; the challenge is kept in the session."""
    return dict(webauthn.begin_registration(user, passwordless=True))


def add_passkey(user: User, name: str, credential: Any) -> bool:
    """Keep a new passkey; return whether the browser's answer was in order and the person was verified by it."""
    try:
        webauthn.parse_registration_response(credential)
        binding = webauthn.complete_registration(credential)
    except _BROKEN:
        return False
    if not binding.is_user_verified():
        return False
    webauthn.WebAuthn.add(user, name[:60], credential)
    return True


def offer_authentication(user: User | None) -> dict[str, Any]:
    """Return what the browser needs to use a passkey: one of this person, or any the browser holds for us."""
    return dict(webauthn.begin_authentication(user))


def passkey_id(credential: Any) -> str:
    """Return what an answer calls its passkey, empty where it calls it nothing; nothing of it is proved by that."""
    return str(credential.get("id", "")) if isinstance(credential, dict) else ""


def _whose(credential: Any) -> User:
    """Return whom a passkey says it belongs to; from there on the database answers for that person alone."""
    with opened(User):
        named: User = webauthn.extract_user_from_response(credential)
    let_in(user=named.pk)
    return named


def passkey_holds(user: User | None, credential: Any, at: datetime) -> User | None:
    """Return whose passkey answered, if it is in order, verified its person and, with ``user``, is theirs."""
    try:
        answer = webauthn.parse_authentication_response(credential)
        named = user or _whose(credential)
        kept = webauthn.complete_authentication(named, credential)
    except _BROKEN:
        return None
    if not answer.response.authenticator_data.is_user_verified():
        return None
    kept.last_used_at = at
    kept.save(update_fields=["last_used_at"])
    found: User = kept.user
    return found
