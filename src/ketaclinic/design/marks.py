"""Icons and marks as SVG: one shape, one meaning. Built once, kept as safe strings."""

from __future__ import annotations

from functools import cache

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

ICONS: dict[str, str] = {
    "back": '<path d="M14.5 6l-6 6 6 6"/>',
    "bell": '<path d="M6 16.5V11a6 6 0 0112 0v5.5l1.5 2h-15zM10 21h4"/>',
    "bell-off": '<path d="M6 16.5V11c0-1 .25-2 .7-2.8M9 5.8A6 6 0 0118 11v4M4.5 18.5H18M10 21h4M4 4l16 16"/>',
    "calendar": '<path d="M4.5 6h15v13.5h-15zM4.5 10h15M8.5 3.5V7M15.5 3.5V7"/>',
    "check": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.2l3.4 2"/>',
    "cross": '<path d="M6 6l12 12M18 6L6 18"/>',
    "delete": '<path d="M20 6H9l-5.5 6L9 18h11zM12.5 9.5l5 5M17.5 9.5l-5 5"/>',
    "document": '<path d="M6.5 3.5h7.5l4 4V20.5h-11.5zM14 3.5V8h4M9.5 12h5.5M9.5 15.5h5.5"/>',
    "down": '<path d="M6 9.5l6 6 6-6"/>',
    "download": '<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M4.5 20h15"/>',
    "drip": '<path d="M8 3h8v8a4 4 0 01-8 0zM8 7h8M12 15v2M12 21v-1.5"/>',
    "eye": '<path d="M2.5 12s3.5-6.5 9.5-6.5 9.5 6.5 9.5 6.5-3.5 6.5-9.5 6.5S2.5 12 2.5 12z"/>'
    '<circle cx="12" cy="12" r="2.75"/>',
    "flag": '<path d="M5.5 21V4M5.5 4.5h12l-2.5 4 2.5 4h-12"/>',
    "forward": '<path d="M9.5 6l6 6-6 6"/>',
    "home": '<path d="M4 11.5L12 4.5l8 7M6.5 10v9.5h11V10"/>',
    "key": '<circle cx="8" cy="15.5" r="4"/><path d="M11 12.5L19.5 4M16 7.5l2.5 2.5M13.5 10l1.5 1.5"/>',
    "lock": '<path d="M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 017 0v3"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "moon": '<path d="M20 14.5A8.5 8.5 0 019.5 4a8.5 8.5 0 1010.5 10.5z"/>',
    "nasal": '<path d="M12 3v5M9.5 8h5l1.5 4v7a2 2 0 01-2 2h-4a2 2 0 01-2-2v-7zM8 13.5h8"/>',
    "offline": '<path d="M4 4l16 16M8.5 8.7A6 6 0 006.5 20H17a4 4 0 001.6-.3M20.6 17.6A4 4 0 0017.5 12 6 6 0 0012 8"/>',
    "pause": '<path d="M8.5 5.5v13M15.5 5.5v13"/>',
    "pencil": '<path d="M4.5 19.5l1-4.5L16 4.5l3.5 3.5L9 18.5zM13.5 7l3.5 3.5"/>',
    "person": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c.8-4.2 3.7-6 7.5-6s6.7 1.8 7.5 6"/>',
    "phone": '<path d="M6.5 4h3l1.5 4-2 1.5a11 11 0 005.5 5.5l1.5-2 4 1.5v3c0 1-1'
    ' 2-2 2A15.5 15.5 0 014.5 6c0-1 1-2 2-2z"/>',
    "play": '<path d="M8 5.5l10.5 6.5L8 18.5z"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "print": '<path d="M7 8V3.5h10V8M7 17H4.5v-7a2 2 0 012-2h11a2 2 0 012 2v7H17M7 14h10v6.5H7z"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5"/>',
    "stop": '<path d="M6.5 6.5h11v11h-11z"/>',
    "sun": '<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4'
    'M18.4 5.6L17 7M7 17l-1.4 1.4"/>',
    "undo": '<path d="M8 5L4 9l4 4M4 9h10a5.5 5.5 0 010 11H9"/>',
    "upload": '<path d="M12 15.5V4.5M7.5 9L12 4.5 16.5 9M4.5 20h15"/>',
    "wall": '<path d="M3.5 5h17v11h-17zM9 20h6M12 16v4"/>',
}

_OCTAGON = '<path class="b" d="M8 2h8l6 6v8l-6 6H8l-6-6V8z"/>'
_BANG = '<text class="t" x="12" y="{}">!</text>'

MARKS: dict[str, tuple[str, str]] = {
    "high": (_OCTAGON + _BANG.format("16.7"), "High priority"),
    "stop": (_OCTAGON + _BANG.format("16.7"), "Stop"),
    "med": ('<path class="b" d="M12 2.2L23 21.5H1z"/>' + _BANG.format("18.9"), "Medium priority"),
    "caution": ('<path class="b" d="M12 2.2L23 21.5H1z"/>' + _BANG.format("18.9"), "Caution"),
    "low": ('<circle class="b" cx="12" cy="12" r="9.5"/><text class="t" x="12" y="16.6">i</text>', "Low priority"),
    "note": ('<circle class="b" cx="12" cy="12" r="9.5"/><text class="t" x="12" y="16.6">i</text>', "Note"),
    "unknown": (
        '<circle class="b" cx="12" cy="12" r="9.5"/><text class="t" x="12" y="16.6">?</text>',
        "Could not be checked",
    ),
    "fine": (
        '<rect class="b" x="2" y="2" width="20" height="20" rx="6"/><path class="t" d="M7 12.4l3.5 3.5L17.3 8.6"/>',
        "Fine",
    ),
    "gate": ('<path class="b" d="M9 3v18M15 3v18"/>', "Gate"),
    "dose": ('<path class="b" d="M12 3v18"/>', "Dose"),
    "due": ('<circle class="b" cx="12" cy="12" r="6.5"/>', "Check due"),
}
"""Shape and the word a screen reader says; ``stop``/``high``, ``caution``/``med``, ``note``/``low`` share a shape."""

_CLASSES = {"stop": "high", "caution": "med", "note": "low"}


@cache
def icon(name: str, css: str = "") -> SafeString:
    """Return a decorative icon; raises ``KeyError`` for a name that does not exist."""
    body = mark_safe(ICONS[name])
    return format_html(
        '<svg class="i{}" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">{}</svg>',
        f" {css}" if css else "",
        body,
    )


@cache
def mark(kind: str, label: str | None = None, css: str = "") -> SafeString:
    """Return a mark with its word; an empty ``label`` makes it decorative (when the word stands beside it)."""
    shape, word = MARKS[kind]
    body = mark_safe(shape)
    said = word if label is None else label
    role = format_html('role="img" aria-label="{}"', said) if said else mark_safe('aria-hidden="true"')
    classes = f"pm {_CLASSES.get(kind, kind)}{' ' + css if css else ''}"
    return format_html('<svg class="{}" viewBox="0 0 24 24" width="22" height="22" {}>{}</svg>', classes, role, body)
