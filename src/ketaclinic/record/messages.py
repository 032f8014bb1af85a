"""The lines a page shows once after a write, as an intent keeps and repeats them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest


def queued(request: HttpRequest) -> list[tuple[int, str]]:
    """Return what this request has said so far."""
    return [(message.level, str(message.message)) for message in _storage(request)._queued_messages]


def take_back(request: HttpRequest) -> None:
    """Unsay what this request has said: what it was about did not happen."""
    _storage(request)._queued_messages.clear()


def say_again(request: HttpRequest, lines: Iterable[tuple[int, str]]) -> None:
    """Say the lines of the first answer, except those that still wait to be shown."""
    waiting = {str(message.message) for message in _storage(request)._loaded_messages}
    for level, words in lines:
        if words not in waiting:
            messages.add_message(request, level, words)


def _storage(request: HttpRequest) -> Any:
    return messages.get_messages(request)
