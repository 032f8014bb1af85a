"""What the server may write down about itself: what went wrong and where in the code, never what was in it.

The message of an error may quote a form, a row or a query. So a line of the log holds the kind of error and the places
it came through. Values stand in a line only where a logger is known to give none of a person: our own, the one that
names the address of a refused request, and the server's.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from http import HTTPStatus
from types import TracebackType
from typing import Any

SPEAKS_FREELY = ("ketaclinic", "django.request", "django.server", "_granian", "granian")
"""Loggers whose messages are known: an address without its query, a count, a place. Anybody else's values stay out."""

_TOKENS = re.compile(r"(/invitation/)[^/\s]+")
"""One-time links: whoever reads the log must not be able to use one."""

# A handler that cannot write would print the entry with its values and the whole traceback.
logging.raiseExceptions = False


class WithoutValues(logging.Formatter):
    """One line, then for an error its kinds and places; no value of anybody's."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of one entry."""
        lines = [f"{self.formatTime(record)} {record.levelname} {record.name} {_message(record)}"]
        if record.exc_info and not _is_refusal(record):
            lines += places(record.exc_info[1])
        return "\n".join(lines)


def places(error: BaseException | None) -> list[str]:
    """Return an error and what led to it as kinds and places in the code, the first cause first."""
    if error is None:
        return []
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = [*places(before), "then:"] if before is not None else []
    lines.append("Traceback (values are left out):")
    for frame, line in traceback.walk_tb(error.__traceback__):
        lines.append(f"  {frame.f_code.co_filename}:{line} in {frame.f_code.co_name}")
    return [*lines, f"{type(error).__module__}.{type(error).__qualname__}"]


def _is_refusal(record: logging.LogRecord) -> bool:
    """Return whether it is one line: who may not do something is no fault of the program."""
    return getattr(record, "status_code", 0) == HTTPStatus.FORBIDDEN


def _message(record: logging.LogRecord) -> str:
    if any(record.name == name or record.name.startswith(f"{name}.") for name in SPEAKS_FREELY):
        text = record.getMessage()
    elif record.args:
        text = f"{record.msg} (values are left out)"
    else:
        text = f"said at {record.module}:{record.lineno} in {record.funcName} (words are left out)"
    request = getattr(record, "request", None)
    if request is not None and request.path not in text:
        text += f" {request.method} {request.path}"
    return "".join(c if c.isprintable() else "?" for c in _TOKENS.sub(r"\1(token)", text))


def watch_over_loose_ends() -> None:
    """Let what would end on standard error with its message (a thread, the process) be logged without it."""
    logger = logging.getLogger("ketaclinic.server")

    def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        logger.critical("ended by an error", exc_info=(kind, error, trace))

    def of_thread(told: Any) -> None:
        logger.error("a thread ended by an error", exc_info=(told.exc_type, told.exc_value, told.exc_traceback))

    sys.excepthook = of_process
    threading.excepthook = of_thread
