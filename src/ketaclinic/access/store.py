"""Django's sessions in the database, under a hash of their key: whoever reads the table holds nobody's cookie."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from django.contrib.sessions.backends.db import SessionStore as PlainStore
from django.contrib.sessions.models import Session

ROW_KEY_LENGTH = 40
"""As many hexadecimal digits as Django's column holds: 160 bits."""


def row_key(session_key: str) -> str:
    """Return under what a session stands in the database; the cookie's key has more chance than can be tried."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:ROW_KEY_LENGTH]


class SessionStore(PlainStore):
    """The store that ``SESSION_ENGINE`` names."""

    def _get_session_from_db(self) -> Session | None:
        key = self._session_key
        self._session_key = row_key(str(key))
        found: Session | None = super()._get_session_from_db()  # type: ignore[misc]  # the stubs leave it out
        self._session_key = key if found is not None else None
        return found

    def exists(self, session_key: str) -> bool:
        """Return whether there is a session with this key."""
        return super().exists(row_key(session_key))

    def create_model_instance(self, data: Any) -> Session:
        """Return the row to be written."""
        row = super().create_model_instance(data)
        row.session_key = row_key(row.session_key)
        return cast(Session, row)

    def delete(self, session_key: str | None = None) -> None:
        """Remove a session, or this one."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(row_key(key))
