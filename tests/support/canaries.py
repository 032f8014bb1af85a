"""Names of people that turn up where none may stand. A pytest plugin, in force in every part of the test run.

Everybody in the tests carries a canary: a name or number that no other text of the house looks like. While the whole
suite runs, this looks at what is logged, printed, mailed and cached, at every address, redirect, title and header, at
the body of every error page, and at the files left in the folder for temporary things. The test during which a canary
is seen fails, and is told where.
"""

from __future__ import annotations

import gzip
import logging
import os
import pickle
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

from tests.support.figures import add_figures

_NAMES = r"[Zz]eisi(?:g|na)|Girlitz|[Zz]eisig\d+von\d+@|555 77\d{5}"
_NUMBERS = r"K-77\d{5}|K-2(?!0417)\d{4}"
_STAFF = r"[Ss]tieglitz|Lindqvist|Imani|Calder|Ostrow|Yamada|Ferrant|Boateng"
NAMES = re.compile(_NAMES)
"""Of patients and who looks after them."""
PATIENTS = re.compile(f"{_NAMES}|{_NUMBERS}")
ANYBODY = re.compile(f"{_NAMES}|{_NUMBERS}|{_STAFF}")
OF_CLINIC = re.compile(r"[Zz]eisig\d+von(\d+)")
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
SAYS_NOTHING = frozenset({400, 403, 404, 405, 413, 500, 503})
"""Answers that show nothing of anybody. Others (409, 422) show a form again to the person who filled it in."""


class Canaries:
    """What was seen in this process: how many things were looked at, and in which of them a canary sat."""

    def __init__(self) -> None:
        self.looked: Counter[str] = Counter()
        self.found: list[str] = []

    def look(self, place: str, text: str, which: re.Pattern[str] = ANYBODY) -> None:
        """Search one text; remember where a canary sat."""
        self.looked[place] += 1
        seen = which.search(text)
        if seen:
            around = text[max(0, seen.start() - 60) : seen.end() + 60].replace("\n", " ")
            self.found.append(f"{place}: …{around}…")

    def drain(self) -> list[str]:
        """Return what was found since the last time."""
        found, self.found = self.found, []
        return list(dict.fromkeys(found))


CANARIES = Canaries()


class _EveryRecord(logging.Handler):
    """Sees every record there is, in the words in which the server would write it down."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        from ketaclinic.config.logs import WithoutValues

        self.setFormatter(WithoutValues())

    def emit(self, record: logging.LogRecord) -> None:
        CANARIES.look("log", self.format(record))


def _around(owner: Any, name: str, observe: Callable[..., None]) -> None:
    """Let ``observe(result, *args)`` see every call of a function or method."""
    original = getattr(owner, name)

    @wraps(original)
    def observed(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        observe(result, *args, **kwargs)
        return result

    setattr(owner, name, observed)


def _answer(response: Any, _handler: Any, request: Any) -> None:
    address = unquote_plus(f"{request.META.get('PATH_INFO', '')}?{request.META.get('QUERY_STRING', '')}")
    CANARIES.look("address", address)
    CANARIES.look("referer", unquote_plus(request.META.get("HTTP_REFERER", "")))
    for name, value in response.items():
        CANARIES.look(f"header {name}", unquote_plus(str(value)))
    for cookie in response.cookies.values():
        CANARIES.look("cookie", unquote_plus(cookie.OutputString()))
    kind = response.get("Content-Type", "")
    if response.streaming or not kind.startswith(("text/html", "application/json", "text/plain")):
        return
    body = response.content
    text = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("utf-8", "replace")
    _words(request, response.status_code, text)


def _words(request: Any, status: int, text: str) -> None:
    for title in TITLE.findall(text):
        CANARIES.look("title", title)
    clinic = getattr(request, "clinic", None)
    if (own := getattr(request, "own", None)) is not None:
        text = text.replace(own.display_name, "")  # who is signed in may read their own name at the top of every page
    if status in SAYS_NOTHING or clinic is None:
        CANARIES.look(f"page {status} of {'a stranger' if clinic is None else 'nobody'}", text, PATIENTS)
        return
    CANARIES.looked["page of a clinic"] += 1
    strangers = {number for number in OF_CLINIC.findall(text) if int(number) != clinic.pk}
    CANARIES.found += [f"page {request.path} of clinic {clinic.pk}: somebody of clinic {n}" for n in sorted(strangers)]


def _cached(_result: Any, _cache: Any, key: Any, value: Any, *_: Any, **__: Any) -> None:
    CANARIES.look("cache", f"{key} {value!r} {pickle.dumps(value).decode('latin-1')}")


def _mailed(_result: Any, _backend: Any, letters: Any) -> None:
    for letter in letters or ():
        CANARIES.look("mail", f"{letter.subject}\n{letter.body}", PATIENTS)


def _echoed(_result: Any, message: Any = "", *_: Any, err: bool = False, **__: Any) -> None:
    CANARIES.look("standard error" if err else "standard output", str(message), ANYBODY if err else NAMES)


def _ended(result: Any, process: Any, *_: Any, **__: Any) -> None:
    command = process.args if isinstance(process.args, list) else []
    if not command or not str(command[0]).endswith("ketaclinic") or result is None:
        return
    out, err = ((o if isinstance(o, str) else (o or b"").decode("utf-8", "replace")) for o in result)
    CANARIES.look("standard error of a command", err, ANYBODY)
    if "export" not in command:
        CANARIES.look("standard output of a command", out, NAMES)


def pytest_configure(config: pytest.Config) -> None:
    """Begin to look."""
    import click
    from django.core.cache.backends.locmem import LocMemCache
    from django.core.handlers.base import BaseHandler
    from django.core.mail.backends.locmem import EmailBackend

    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    config._temporary = tempfile.mkdtemp(prefix="kc-")  # type: ignore[attr-defined]
    os.environ["TMPDIR"] = tempfile.tempdir = config._temporary  # type: ignore[attr-defined]
    _listen()
    _around(BaseHandler, "get_response", _answer)
    for name in ("set", "add"):
        _around(LocMemCache, name, _cached)
    _around(EmailBackend, "send_messages", _mailed)
    _around(click, "echo", _echoed)
    _around(click.exceptions, "echo", lambda result, message="", *_, **__: _echoed(result, message, err=True))
    _around(subprocess.Popen, "communicate", _ended)


def _listen() -> None:
    """Let every record of every level reach us; the console goes on as before."""
    root = logging.getLogger()
    for handler in root.handlers:
        handler.setLevel(logging.WARNING)
    every = _EveryRecord()
    root.addHandler(every)
    for logger in (root, logging.getLogger("django")):
        logger.setLevel(logging.DEBUG)

    def looked_at(record: logging.LogRecord) -> bool:
        every.handle(record)
        return False

    # Every page makes dozens of these, each with a traceback; nobody else need keep them. A filter, as setting Django
    # up takes handlers away from loggers below its own.
    logging.getLogger("django.template").addFilter(looked_at)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail the test during which a canary was seen."""
    result = yield
    for _, channel, text in getattr(item, "_report_sections", ()):
        if channel == "stderr":
            CANARIES.look("standard error", text)
    found = CANARIES.drain()
    if found:
        pytest.fail("Somebody's name or number stands where none may:\n  " + "\n  ".join(found[:20]), pytrace=False)
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Search what was left in the folder for temporary things, and hand over the counts."""
    folder = Path(session.config._temporary)  # type: ignore[attr-defined]
    for file in (f for f in folder.rglob("*") if f.is_file() and not f.is_symlink()):
        CANARIES.look("temporary file", f"{file.name} {file.read_bytes().decode('utf-8', 'replace')}")
    shutil.rmtree(folder, ignore_errors=True)
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["canaries"] = [CANARIES.drain(), dict(CANARIES.looked)]
    else:
        _close(session, CANARIES.drain(), CANARIES.looked)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker saw."""
    left, looked = getattr(node, "workeroutput", {}).get("canaries", ([], {}))
    CANARIES.found += left
    CANARIES.looked.update(looked)


def _close(session: pytest.Session, left: list[str], looked: Counter[str]) -> None:
    if left:
        session.exitstatus = 1
        session.config.get_terminal_writer().line("Left behind: " + "; ".join(left[:20]), red=True)
    kinds: Counter[str] = Counter()
    for place, number in looked.items():
        kinds[place.split(" ")[0]] += number
    add_figures("canaries", {f"{kind} looked at": number for kind, number in kinds.items()})
