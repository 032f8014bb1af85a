"""What a page asks for by itself says so: it keeps nobody signed in, and leaves one entry in the log for many."""

from __future__ import annotations

import re

from tests.support.routes import ROUTES
from tests.support.tree import CLINIC

TRIGGER = re.compile(r'hx-trigger="[^"]*\bevery ')
ELEMENT = re.compile(rf"<\w+ [^<>]*?{TRIGGER.pattern}[^<>]*>")
ASKED = re.compile(r"""hx-get="\{% url '([\w:]+)'""")
BY_SCRIPT = {"access:state"}
"""Asked again and again by a script of ours, which no template shows."""


def test_what_a_page_asks_for_by_itself_is_declared_as_polling() -> None:
    pages = [path.read_text(encoding="utf-8") for path in CLINIC.rglob("*.html")]
    elements = [element for page in pages for element in ELEMENT.findall(page)]
    assert len(elements) == sum(len(TRIGGER.findall(page)) for page in pages) > 4
    asked = {name for element in elements for name in ASKED.findall(element)}
    declared = {name for name, route in ROUTES.items() if getattr(route.callback, "polling", False)}
    assert asked | BY_SCRIPT == declared
