"""Writing the printable sheets into a folder outside the record: what is there is whole, and of the last round.

Reads only. Every file is written beside its place, synced, and renamed; sheets of sessions that are over are removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any

import typst
from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone

from ketaclinic.config.wall.standing import opened, within
from ketaclinic.continuity.actions.folders import sync_file
from ketaclinic.continuity.presenters.sheets import Heading, Lists, blank_heading, lists, session_sheet
from ketaclinic.continuity.queries.floor import day_after, running_sessions, still_to_come
from ketaclinic.people.models import Clinic
from ketaclinic.people.queries import caregivers_of
from ketaclinic.policy.queries import setting_of
from ketaclinic.screening.queries import allergies
from ketaclinic.treatment.models import SessionEvent
from ketaclinic.treatment.queries import OpenSession
from ketacore.evidence import to_jsonable
from ketacore.treatment import NASAL
from ketacore.treatment.questions import QUESTIONS

STATUS = "status.json"
_EVERYTHING = "every sheet"
"""What failed where nothing could be written; what an earlier round has left stays."""
_READ_ONLY = {"sqlite": "PRAGMA query_only = ON", "postgresql": "SET default_transaction_read_only = on"}
BLANK = {
    "blank-vitals": ("vitals",) * 4,
    "blank-dosing": ("dosing",),
    "blank-pack": ("dosing", "vitals", "vitals", "happened"),
}
"""The empty forms by name, and their pages: four sheets of vitals are 96 lines, eight hours of one in 5 minutes."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one round has written for one clinic."""

    clinic_id: int
    files: tuple[str, ...]
    failed: tuple[str, ...]


@cache
def _layout(name: str) -> str:
    folder = resources.files("ketaclinic.continuity") / "data"
    body = (folder / f"{name}.typ").read_text(encoding="utf-8")
    return (folder / "common.typ").read_text(encoding="utf-8") + body.partition("\n")[2]


def as_pdf(layout: str, content: Any) -> bytes:
    """Return a sheet as PDF. Its words travel as one JSON string: markup in a name stays letters."""
    said = json.dumps(to_jsonable(content), ensure_ascii=False)
    found: bytes = typst.compile(
        _layout(layout).encode(), sys_inputs={"sheet": said}, format="pdf", ignore_system_fonts=True
    )
    return found


def blank_form(name: str, head: Heading, product: str = "") -> bytes:
    """Return an empty form as PDF, with the questions of one product or of all."""
    asked = [q for q in QUESTIONS.values() if not product or product in q.product]
    content = {
        "head": to_jsonable(head),
        "title": "Paper forms",
        "pages": BLANK[name],
        "start": [_asked(q.text, q.product, product) for q in asked if q.gate == "start"],
        "release": [_asked(q.text, q.product, product) for q in asked if q.gate == "release"],
    }
    return as_pdf("pack", content)


def _asked(text: str, products: tuple[str, ...], product: str) -> str:
    if product or len(products) > 1:
        return text
    return f"{text} ({'nasal' if products[0] == NASAL else 'IV'} only)"


def only_read() -> None:
    """Make this process unable to write to the record."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_ONLY[connection.vendor])


def write_sheets(*, folder: Path, at: datetime) -> list[Written]:
    """Write the sheets of every clinic as they stand at ``at``, and remove those of sessions that are over."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with opened(Clinic):
        clinics = list(Clinic.objects.order_by("pk"))
    written = [_write_or_tell(clinic, folder, at) for clinic in clinics]
    told = {
        "at": at.isoformat(),
        "clinics": {str(w.clinic_id): {"files": list(w.files), "failed": list(w.failed)} for w in written},
    }
    _put(folder / STATUS, json.dumps(told, indent=1).encode())
    return written


def _write_or_tell(clinic: Clinic, folder: Path, at: datetime) -> Written:
    try:
        return _write_clinic(clinic, folder, at)
    except Exception:  # noqa: BLE001  a clinic that cannot be read must not keep the others from their sheets
        return Written(clinic.pk, (), (_EVERYTHING,))


def _write_clinic(clinic: Clinic, folder: Path, at: datetime) -> Written:
    place = folder / f"clinic-{clinic.pk}"
    place.mkdir(exist_ok=True, mode=0o700)
    files: list[tuple[str, str]] = []
    failed: list[str] = []
    with within(clinic.pk), timezone.override(clinic.zone):
        for name, title, make in _sheets(clinic, at):
            try:
                _put(place / name, make())
                files.append((name, title))
            except Exception:  # noqa: BLE001  one sheet that cannot be made must not keep the others from being written
                failed.append(name)
        _put(place / "index.html", _index(clinic, files, failed, at))
    kept = {name for name, _ in files} | {"index.html"}
    for old in place.iterdir():
        if old.name not in kept and old.name not in failed:
            old.unlink()
    return Written(clinic.pk, tuple(name for name, _ in files), tuple(failed))


Make = Callable[[], bytes]


def _sheets(clinic: Clinic, at: datetime) -> Iterator[tuple[str, str, Make]]:
    """Yield the name, title and maker of every sheet; the names of files name nobody."""
    yield "lists.pdf", "Who comes: today and the next day", lambda: as_pdf("lists", _lists(clinic, at))
    for found, rows in running_sessions(clinic, at):
        name = f"chair-{found.session.chair}-session-{found.session.pk}.pdf"
        yield name, f"Session on chair {found.session.chair}", partial(_session_pdf, found, rows, at)
    for form in BLANK:
        yield f"{form}.pdf", f"Paper form: {form.removeprefix('blank-')}", partial(_form_pdf, form, clinic)


def _session_pdf(found: OpenSession, rows: Sequence[SessionEvent], at: datetime) -> bytes:
    session = found.session
    sheet = session_sheet(
        found,
        rows,
        replace(setting_of(session.clinic, at), product=session.product),
        allergies=allergies(session.patient),
        caregivers=caregivers_of(session.patient),
        at=at,
    )
    return as_pdf("session", sheet)


def _form_pdf(form: str, clinic: Clinic) -> bytes:
    return blank_form(form, blank_heading(clinic))


def _lists(clinic: Clinic, at: datetime) -> Lists:
    return lists(clinic, still_to_come(clinic, at), day_after(clinic, at), at=at)


def _index(clinic: Clinic, files: list[tuple[str, str]], failed: list[str], at: datetime) -> bytes:
    context: Mapping[str, Any] = {"clinic": clinic, "files": files, "failed": failed, "at": at}
    return render_to_string("continuity/index_file.html", context).encode()


def _put(place: Path, data: bytes) -> None:
    """Write a file as a whole or not at all, for its owner only."""
    draft = place.with_name(f".{place.name}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    draft.rename(place)
    sync_file(place.parent)
