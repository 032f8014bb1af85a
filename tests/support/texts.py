"""Text that attacks whatever shows it: each must come out again as the characters it is, or be refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

MARKUP = {
    "script": '<script>window.__pwned="script"</script>',
    "picture": "<img src=x onerror=\"window.__pwned='picture'\">",
    "attribute": "\" autofocus onfocus=window.__pwned='attribute' x=\"",
    "single quote": "' onmouseover='window.__pwned=1' x='",
    "drawing": "</title><svg onload=window.__pwned='svg'>",
    "end of a field": "</textarea></select><script>window.__pwned=2</script>",
    "link": "javascript:window.__pwned='link'",
    "frame": '<iframe srcdoc="<script>parent.__pwned=3</script>"></iframe>',
    "style": "</style><style>*{display:none}</style>url(//evil.example/x)",
    "template": "kc{{7|add:7}}{{request.user.password}}{% now 'Y' %}ck",
    "other templates": "kc${7*7}#{7*7}<%=7*7%>ck",
    "typesetting": '#sys.version #image("/etc/passwd") *b* _i_ $x^2$ #link("https://evil.example") @a <b> `c` // d /*',
    "htmx": '<div hx-get="/sign-out/" hx-trigger="load" data-hx-on:load="window.__pwned=4"></div>',
}
SIGNS = {
    "query": "'; DROP TABLE people_patient; --",
    "query in a pattern": '%\' OR "1"="1',
    "sheet": '=HYPERLINK("https://evil.example";"x")',
    "sheet by a sign": "+1-1@SUM(A1)",
    "format": "%s %(x)s {0.__class__} {x!r}",
    "path": "../../../../etc/passwd",
    "order": "-pk,__class__,_sort=-pk",
    "pictures": "👩🏽‍⚕️🏳️‍🌈 ﷽ Z͑ͫ̓a̴l̷g̵o̶",
    "other scripts": "شعر 中文 हिन्दी Ω≈ç√",
    "no number": "NaN Infinity -0 1e999 0x41 ٣",
}
UNSEEN = {
    "right to left": "\u202egnp.exe\u202c\u2066x\u2069",
    "no width": "a\u200bb\u200dc\ufeffd\u2060e",
    "soft hyphen": "a\u00adb",
    "marks of direction": "a\u200eb\u200fc\u061cd",
    "filler": "a\u3164b",
    "tags": "a\U000e0041b",
    "bell and escape": "a\x07b\x1b[31mc\x7f\x9bd",
    "zero byte": "a\x00b",
    "lines into a head": "a\r\nSet-Cookie: pwned=1\r\n\r\n<b>",
    "line separators": "a\u2028b\u2029c\x0bd\x0ce",
}
"""Signs nobody sees. They may be refused, taken away, or shown; they may not change what stands beside them."""
LONG = {"long": "W" * 60_000, "long without an end": "ab " * 20_000}
TEXTS = MARKUP | SIGNS | UNSEEN
BROKEN = "%ED%A0%80%FF%FE"
"""As a browser never sends it: half a surrogate pair, and bytes that are no text."""

_EVALUATED = re.compile(r"kc14|kc49|kc\$?49|pbkdf2_|argon2|md5\$")
_OUTSIDE = re.compile(r"^\s*(?:javascript|vbscript|data:text|https?:|//)", re.IGNORECASE)
_NEVER = frozenset({"iframe", "object", "embed", "base", "applet", "style", "frame"})
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "hx-get", "hx-post", "xlink:href", "srcdoc"})


class Tags(HTMLParser):
    """Collects what a page would do that no page of ours does."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        given = dict(attrs)
        if (name := given.get("id")) is not None:
            # A label that names it would belong to another field than the one it stands beside.
            self.faults += [f"<{tag} id={name}> twice"] if name in self._ids else []
            self._ids.add(name)
        if tag in _NEVER or (tag == "script" and not (given.get("src") or "").startswith("/static/")):
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            active = name.startswith(("on", "hx-on", "data-hx-on")) or name in ("srcdoc", "style")
            if active or (name in _ADDRESSES and _OUTSIDE.match(value or "") and not _ours(value or "")):
                self.faults.append(f"<{tag} {name}={value}>")


def _ours(address: str) -> bool:
    """Return whether a page of ours leads there: a source of a rule, named in the rules themselves."""
    return address.startswith("https://") and "evil" not in address


def faults_of(page: str) -> Iterator[str]:
    """Yield what a page does with text that it should only show."""
    tags = Tags()
    tags.feed(page)
    tags.close()
    yield from tags.faults
    evaluated = _EVALUATED.search(page)
    if evaluated:
        yield f"evaluated: {evaluated.group()}"
