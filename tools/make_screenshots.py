"""The pictures of the README, from a demo clinic made for them: the same seed, today's floor, one sign-in per role."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.pages import signed_in
from benchmarks.server import KETACLINIC, serving
from tools.browser import FLAGS, chromium

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs/images"
SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}


@dataclass(frozen=True, slots=True)
class Picture:
    """One page as one role sees it, at one size."""

    name: str
    role: str
    path: str
    size: str
    scheme: str = "light"


def main() -> int:
    """Build a demo, take the pictures, write ``docs/images``."""
    parser = argparse.ArgumentParser(prog="python -m tools.make_screenshots", description=__doc__)
    parser.add_argument("--data", type=Path, help="keep the demo in this folder and use it again")
    parser.add_argument("only", nargs="*", help="names of pictures; without one, all")
    asked = parser.parse_args()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kc-pictures-") as scratch:
        data = asked.data or Path(scratch)
        command = [KETACLINIC, "demo", "--if-empty"]
        subprocess.run(command, env={**os.environ, "KETACLINIC_DATA": str(data)}, check=True, stdout=subprocess.DEVNULL)
        pictures = [picture for picture in _pictures(data) if not asked.only or picture.name in asked.only]
        with serving(data) as (port, _), sync_playwright() as play:
            cookies = {role: signed_in(port, role) for role in {picture.role for picture in pictures}}
            browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
            for picture in pictures:
                _take(picture, browser, f"http://127.0.0.1:{port}", cookies[picture.role])
            browser.close()
    print(f"wrote {len(pictures)} pictures to {IMAGES.relative_to(ROOT)}")
    return 0


def _pictures(data: Path) -> list[Picture]:
    os.environ["KETACLINIC_DATA"] = str(data)
    os.environ["DJANGO_SETTINGS_MODULE"] = "ketaclinic.config.settings"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in this thread; nothing awaits it
    import django

    django.setup()
    from django.urls import reverse

    chart, screening, session = _people()
    return [
        Picture("morning", "prescriber", reverse("journey:home"), "desktop"),
        Picture("board", "nurse", reverse("treatment:floor"), "desktop"),
        Picture("wall", "nurse", reverse("treatment:wall"), "desktop", "dark"),
        Picture("chart", "prescriber", reverse("journey:chart", args=[chart]), "desktop"),
        Picture("screening", "prescriber", reverse("screening:patient", args=[screening]), "desktop"),
        Picture("session", "nurse", reverse("treatment:session", args=[session]), "tablet"),
        Picture("session-dark", "nurse", reverse("treatment:session", args=[session]), "tablet", "dark"),
        Picture("patients", "nurse", reverse("journey:patients"), "phone"),
        Picture("phq9", "nurse", reverse("followup:answer", args=[chart, "phq9"]), "phone"),
    ]


def _people() -> tuple[int, int, int]:
    """Return the patient with the longest course, one who waits for a decision, and a session under way."""
    from django.db.models import Count
    from django.utils import timezone

    from ketaclinic.followup.models import ScaleAnswer
    from ketaclinic.people.models import Clinic
    from ketaclinic.screening.queries import awaiting_decision
    from ketaclinic.treatment.queries import open_sessions

    clinic, at = Clinic.objects.order_by("pk")[0], timezone.now()
    longest = ScaleAnswer.objects.order_by().values("patient_id").annotate(n=Count("pk")).order_by("-n", "patient_id")
    waiting = awaiting_decision(clinic, at)[0]
    under_way = list(open_sessions(clinic, at))
    middle = sorted(under_way, key=lambda o: o.session.opened_at)[len(under_way) // 2]
    return longest[0]["patient_id"], waiting.pk, middle.session.pk


def _take(picture: Picture, browser: Browser, origin: str, cookie: str) -> None:
    width, height = SIZES[picture.size]
    name, _, value = cookie.partition("=")
    context = browser.new_context(
        base_url=origin,
        viewport={"width": width, "height": height},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        timezone_id="America/New_York",
        locale="en-US",
    )
    context.add_cookies([{"name": name, "value": value, "url": origin}])
    page = context.new_page()
    _settled(page, picture.path)
    page.screenshot(path=str(IMAGES / f"{picture.name}-{picture.size}.png"))
    context.close()


def _settled(page: Page, path: str) -> None:
    answer = page.goto(path)
    if answer is None or answer.status != 200:
        raise RuntimeError(f"{path} answered {answer and answer.status}")
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => true)")
    page.wait_for_timeout(300)


if __name__ == "__main__":
    sys.exit(main())
