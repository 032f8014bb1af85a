"""Every route of the clinic, from the resolver itself: nothing can be served that is not in here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


def _routes(patterns: list[Any], spaces: tuple[str, ...] = ()) -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from _routes(entry.url_patterns, (*spaces, entry.namespace) if entry.namespace else spaces)
        elif isinstance(entry, URLPattern):
            yield ":".join((*spaces, entry.name or "?")), entry


ROUTES: dict[str, URLPattern] = dict(_routes(get_resolver().url_patterns))
"""Name with its namespaces to pattern."""
GUARDED: dict[str, URLPattern] = {
    name: route for name, route in ROUTES.items() if getattr(route.callback, "permission", None) is not None
}
"""Those that ask for a permission."""


def keys_of(name: str) -> tuple[str, ...]:
    """Return the converters of a route, the widest first."""
    return tuple(ROUTES[name].pattern.converters)
