"""What every page must hold in a real browser: accessible, silent on the console, nothing from outside."""

from __future__ import annotations

from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

DESKTOP = {"width": 1440, "height": 900}
TABLET = {"width": 1024, "height": 768}
PHONE = {"width": 390, "height": 844}
SIZES = {"desktop": DESKTOP, "tablet": TABLET, "phone": PHONE}

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
_AXE = Axe()


def accessibility_faults(page: Page) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 A and AA on the page as it stands."""
    found = _AXE.run(page, options=WCAG).response["violations"]
    return [f"{v['id']}: {v['help']} at {node['target']}: {node['html'][:120]}" for v in found for node in v["nodes"]]


def check_accessibility(page: Page, *sizes: str) -> None:
    """Fail unless the page is free of faults, and no wider than the screen, at each size."""
    before = page.viewport_size
    for name in sizes or ("desktop", "tablet"):
        page.set_viewport_size(SIZES[name])
        faults = accessibility_faults(page)
        assert faults == [], f"{page.url} on {name}:\n" + "\n".join(faults)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 1, f"{page.url} on {name}: {too_wide} px wider than the screen"
    if before:
        page.set_viewport_size(before)


class Watch:
    """Collects what a page must never do: errors on the console, failed answers, requests to other origins."""

    def __init__(self, page: Page, origin: str) -> None:
        self.faults: list[str] = []
        self.expected: set[int] = set()
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("response", lambda reply: self._reply(reply.status, reply.url))
        page.on("request", lambda request: self._request(request.url, urlsplit(origin).netloc))

    def expect(self, status: int) -> None:
        """Allow an answer that says no, as when a page shows a refusal."""
        self.expected.add(status)

    def _console(self, kind: str, text: str) -> None:
        if kind == "error" and not any(f"status of {status}" in text for status in self.expected):
            self.faults.append(f"console: {text}")

    def _reply(self, status: int, url: str) -> None:
        if status >= 400 and status not in self.expected:
            self.faults.append(f"answer {status} from {url}")

    def _request(self, url: str, home: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != home:
            self.faults.append(f"request to {parts.netloc}")
