"""What the table of sessions gives away to whoever reads it: nothing that opens one."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from ketaclinic.access.models import Presence
from ketaclinic.access.store import SessionStore, row_key
from ketaclinic.people.models import Staff
from tests.clinic.access.people import is_in
from tests.support.presence import make_presence

pytestmark = pytest.mark.django_db


def test_what_stands_in_the_table_is_no_cookie(nurse: Staff) -> None:
    client, thief = Client(), Client()
    client.force_login(nurse.user)
    cookie = client.cookies["sessionid"].value
    (kept,) = Session.objects.values_list("session_key", flat=True)
    assert kept == row_key(cookie) != cookie and Presence.objects.get().session_key == kept
    thief.cookies["sessionid"] = kept
    assert is_in(client) and not is_in(thief)


def test_a_session_is_found_kept_and_removed_by_its_cookies_key() -> None:
    store = SessionStore()
    store["word"] = "kept"
    store.create()
    key = str(store.session_key)
    assert store.exists(key) and not store.exists(row_key(key))
    again = SessionStore(key)
    again["word"] = "kept again"
    again.save()
    assert SessionStore(key)["word"] == "kept again" and Session.objects.count() == 1
    again.cycle_key()
    assert SessionStore(again.session_key)["word"] == "kept again" and not store.exists(key)
    SessionStore().delete()
    again.delete()
    assert not Session.objects.exists() and SessionStore(key).get("word") is None


def test_whoever_is_signed_in_stays_signed_in_when_the_keys_are_hashed(nurse: Staff) -> None:
    client = Client()
    client.force_login(nurse.user)
    cookie = client.cookies["sessionid"].value
    row = Session.objects.get()
    Session.objects.all().delete()
    Session.objects.create(session_key=cookie, session_data=row.session_data, expire_date=row.expire_date)
    Presence.objects.all().delete()
    make_presence(nurse.user, cookie)
    Presence.objects.update(session_key=cookie)
    assert not is_in(client), "as it stood before"
    client.cookies["sessionid"] = cookie
    migration = import_module("ketaclinic.access.migrations.0002_sessions_under_a_hash")
    migration.hash_keys(apps, SimpleNamespace(connection=connection))
    assert Session.objects.get().session_key == Presence.objects.get().session_key == row_key(cookie)
    assert is_in(client)
