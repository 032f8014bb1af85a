"""What a password may be: long rather than odd, and not what everybody would try."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from ketaclinic.people.models import Clinic, User
from tests.support.people import make_clinic, make_staff

GOOD = [
    "four plain words together",
    "        eight spaces before",
    "пароль для клиники кетамина",
    "🐢🐇🐢🐇 tortoise and hare 🐢🐇",
    "onlylowercaselettersandnothingelse",
    "7351906284517306",
    "x" * 30 + "-long-" + "y" * 100,
]


def refused(password: str, user: User | None = None) -> bool:
    try:
        validate_password(password, user)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("password", GOOD, ids=range(len(GOOD)))
def test_any_characters_and_any_length_will_do(password: str) -> None:
    assert not refused(password)


@pytest.mark.django_db
@pytest.mark.parametrize("password", GOOD, ids=range(len(GOOD)))
def test_a_password_is_compared_to_the_last_character(password: str, clinic: Clinic) -> None:
    user = make_staff(clinic).user
    user.set_password(password)
    assert user.check_password(password)
    assert not user.check_password(password[:-1])
    assert not user.check_password(password + " ")
    assert not user.check_password(password.swapcase()) or password == password.swapcase()


@pytest.mark.parametrize("password", ["", "a", "qz7!Kp", "qz7!Kpw"])
def test_a_short_password_is_refused(password: str) -> None:
    assert refused(password)


@pytest.mark.parametrize("password", ["password1", "iloveyou", "football1", "sunshine1", "1q2w3e4r5t", "PASSWORD123"])
def test_a_common_password_is_refused(password: str) -> None:
    assert refused(password)


@pytest.mark.django_db
def test_a_password_does_not_rest_on_the_name_of_the_person(clinic: Clinic) -> None:
    user = make_staff(clinic).user
    user.username = "josephine.marlow"
    assert refused("josephine.marlow1", user)
    assert not refused("four plain words together", user)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "password", ["Ketamine2026!", "spravato-1234", "KETACLINIC!!!!", "Larchwood.2026", "clinicclinic77"]
)
def test_a_password_is_not_a_word_of_the_place(password: str) -> None:
    user = make_staff(make_clinic(name="Larchwood House")).user
    assert refused(password, user)
    assert not refused(f"{password} and four plain words", user)
    assert not refused("Larchwood.2026")  # a word of that clinic only


@pytest.mark.django_db
def test_a_password_does_not_age(clinic: Clinic) -> None:
    """Nothing in the user's row or the settings knows how old a password is."""
    aged = [f.name for f in User._meta.get_fields() if "password" in f.name and f.name != "password"]
    rules = [validator["NAME"].rsplit(".", 1)[-1] for validator in settings.AUTH_PASSWORD_VALIDATORS]
    assert aged == [] and not [name for name in rules if "Age" in name or "History" in name or "Expir" in name]
    browser = Client()
    browser.force_login(make_staff(clinic).user)
    assert browser.get("/").status_code == 200


def test_passwords_are_kept_by_a_slow_hash() -> None:
    """Asked in a process of its own: the tests themselves use a fast one."""
    program = (
        "import django, time; from django.conf import settings; django.setup();"
        "from django.contrib.auth.hashers import make_password, get_hasher;"
        "begun = time.perf_counter(); kept = make_password('four plain words together');"
        "print(kept.split('$')[0], kept.split('$')[1], time.perf_counter() - begun)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "ketaclinic.config.settings", "KETACLINIC_SECRET_KEY": "x" * 50}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    algorithm, rounds, seconds = ran.stdout.split()
    assert algorithm == "pbkdf2_sha256" and int(rounds) >= 600_000 and float(seconds) > 0.05


PRESENT, NEW = "correct horse battery", "four plain words together"


@pytest.mark.django_db
@pytest.mark.parametrize(("typed", "changed"), [(PRESENT, True), ("something else entirely", False), ("", False)])
def test_a_change_needs_the_present_password(clinic: Clinic, typed: str, changed: bool) -> None:
    user = make_staff(clinic).user
    browser = Client()
    browser.force_login(user)
    browser.post("/account/password/", {"access-password": typed, "new_password1": NEW, "new_password2": NEW})
    user.refresh_from_db()
    assert user.check_password(NEW if changed else PRESENT)


@pytest.mark.django_db
def test_fields_hide_what_is_typed_and_help_password_managers(clinic: Clinic) -> None:
    browser = Client()
    browser.force_login(make_staff(clinic).user)
    pages = [Client().get("/sign-in/").content.decode(), browser.get("/account/password/").content.decode()]
    fields = [re.findall(r'<input[^>]*name="[^"]*password[^"]*"[^>]*>', page) for page in pages]
    assert len(fields[0]) == 1 and len(fields[1]) >= 3
    for field in (field for found in fields for field in found):
        assert 'type="password"' in field and re.search(r'autocomplete="(current|new)-password"', field)
        assert "onpaste" not in field and "readonly" not in field and "value=" not in field
    assert [page for page in pages if "onpaste" in page] == []
