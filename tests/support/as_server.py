"""Runs in a process that connects to the database as the server does: ``python -m tests.support.as_server NAME``.

Each function looks at one way in which a connection could be left answering for the last person. It prints JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from ketaclinic.config.environment import connect_as_server


def _on_a_lent_connection(question: str) -> Any:
    """Ask past Django, on a connection as the pool lends it."""
    from django.db import connection

    pool: Any = connection.pool  # type: ignore[attr-defined]
    pool.open()
    with pool.connection() as raw:
        return raw.execute(question).fetchone()[0]


SAID = "SELECT concat(current_setting('ketaclinic.clinic', true), current_setting('ketaclinic.user', true), " + (
    "current_setting('ketaclinic.opened', true))"
)


def _client(user_id: int | None) -> Any:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.test import Client

    from ketaclinic.access.store import SessionStore
    from ketaclinic.config.wall.standing import let_in, send_away
    from ketaclinic.people.models import User
    from tests.support.presence import make_presence

    browser = Client(raise_request_exception=False)
    if user_id is not None:
        let_in(user=user_id)
        user = User.objects.get(pk=user_id)
        store = SessionStore()
        store[SESSION_KEY] = str(user.pk)
        store[BACKEND_SESSION_KEY] = "ketaclinic.people.sign_in.StaffBackend"
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store.save()
        make_presence(user, str(store.session_key))
        send_away()
        browser.cookies["sessionid"] = str(store.session_key)
    return browser


def _turn(browser: Any) -> tuple[int, str]:
    """Ask for one's own page; return the answer, and of whom the pool's only connection speaks afterwards."""
    from django.db import connection

    answer = browser.get("/account/password/").status_code
    connection.close()
    return answer, str(_on_a_lent_connection(SAID))


def two_people_in_turn() -> dict[str, Any]:
    """Ask for pages as two people of two clinics on the one connection of the pool; also one that breaks."""
    from django.db import connection

    from ketaclinic.people import middleware

    mine, theirs, nobody = _client(1), _client(2), _client(None)
    said = [_turn(browser) for browser in (mine, theirs, nobody, mine, nobody)]
    whole = middleware.WhoAndWhen.__call__

    def breaks(self: Any, request: Any) -> Any:
        whole(self, request)
        raise RuntimeError("a view broke")

    middleware.WhoAndWhen.__call__ = breaks  # type: ignore[method-assign]
    said.append(_turn(mine))
    return {"said": said, "size": connection.pool.max_size}  # type: ignore[attr-defined]


def a_transaction_that_breaks() -> dict[str, Any]:
    """Break inside transactions, and go back to the pool in the middle of one."""
    from django.db import DatabaseError, connection, transaction

    from ketaclinic.config.wall.standing import let_in, now, opened, send_away
    from ketaclinic.people.models import Patient, User

    seen: dict[str, Any] = {}
    let_in(clinic=1)
    try:
        with transaction.atomic(), opened(User), connection.cursor() as cursor:
            seen["opened"] = User.objects.count()
            cursor.execute("SELECT 1/0")
    except DatabaseError:
        pass
    seen["after"] = User.objects.filter(pk=2).count()
    seen["patients"] = Patient.objects.count()
    connection.close()
    seen["reconnected"] = Patient.objects.count()
    connection.close()
    pool: Any = connection.pool  # type: ignore[attr-defined]
    raw = pool.getconn()
    raw.execute("SELECT set_config('ketaclinic.clinic', 'left behind', false)")
    raw.autocommit = False
    raw.execute("SELECT set_config('ketaclinic.user', 'left in a transaction', false)")
    pool.putconn(raw)
    seen["lent"] = _on_a_lent_connection(SAID)
    send_away()
    seen["standing"] = now().clinic
    return seen


def sealed_for() -> dict[str, str]:
    """Return what this server would say for each clinic and user."""
    from ketaclinic.config.wall.seal import CLINIC, OPENED, USER, sealed

    users = {f"user{number}": sealed(USER, str(number)) for number in (1, 2)}
    clinics = {f"clinic{number}": sealed(CLINIC, str(number)) for number in (1, 2)}
    return {**users, **clinics, "opened": sealed(OPENED, "people_user")}


FUNCTIONS: dict[str, Callable[[], Any]] = {
    f.__name__: f for f in (two_people_in_turn, a_transaction_that_breaks, sealed_for)
}


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ketaclinic.config.settings")
    connect_as_server()
    import django

    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["*"]
    sys.stdout.write(json.dumps(FUNCTIONS[sys.argv[1]]()) + "\n")
