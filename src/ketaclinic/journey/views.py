"""First pages, the list of patients, the chart, the timeline."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render

from ketaclinic.audit.actions import write_audit
from ketaclinic.journey import queries
from ketaclinic.journey.presenters.chart import chart_of, findings_now
from ketaclinic.journey.presenters.home import FIRST_PAGES
from ketaclinic.journey.presenters.lists import patient_lines, timeline_lines
from ketaclinic.journey.presenters.words import ROOM_WORDS, STAGE_WORDS, address
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.permissions import Permission, Role, requires
from ketaclinic.people.queries import patient_in
from ketaclinic.policy.queries import setting_of


@requires(Permission.SEE_HOME)
def home(request: StaffRequest) -> HttpResponse:
    """Show the first page of the person's role; the nurse's first page is the floor itself."""
    role = Role(request.staff.role)
    if role is Role.NURSE:
        return redirect("treatment:floor")
    present = FIRST_PAGES[role]
    page = present(request.staff, request.at, request.GET.get("open", ""))
    return render(request, "journey/home.html", {"page": page})


@requires(Permission.SEE_CHART)
def findings(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show beside the list how one candidate stands now; asked for on its own, so that the list does not wait."""
    patient = patient_in(request.clinic, patient_pk)
    context = {"findings": findings_now(patient, request.at)}
    return render(request, "journey/findings.html", context)


@requires(Permission.SEE_PATIENTS)
def patients(request: StaffRequest) -> HttpResponse:
    """Show and search the clinic's patients."""
    see_chart = request.staff.may(Permission.SEE_CHART)
    words = request.GET.get("words", "").strip()[:80]
    stage = request.GET.get("stage", "") if see_chart else ""
    stage = stage if stage in STAGE_WORDS else ""
    setting = setting_of(request.clinic, request.at)
    page = queries.patient_page(
        request.clinic,
        setting,
        request.at,
        words=words,
        stage=stage,
        after=_key(request, "after"),
        before=_key(request, "before"),
    )
    kept = urlencode({k: v for k, v in (("words", words), ("stage", stage)) if v})
    context = {
        "lines": patient_lines(page.ways, request.clinic, setting, see_chart),
        "page": page,
        "words": words,
        "stage": stage,
        "stages": STAGE_WORDS.items(),
        "see_chart": see_chart,
        "kept": f"{kept}&" if kept else "",
        "import_url": address("fhir:import"),
    }
    return render(request, "journey/patients.html", context)


@requires(Permission.SEE_CHART)
def chart(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show one patient: where on the pathway, what happened, what is next and why."""
    row = queries.chart_row(request.clinic, patient_pk, request.at)
    write_audit("read_chart", by=request.staff, at=request.at, patient_id=row.patient.pk, obj=row.patient)
    context = {"patient": row.patient, "row": row, "chart": chart_of(row, request.at, request.staff.permissions)}
    return render(request, "journey/chart.html", context)


@requires(Permission.SEE_CHART)
def timeline(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show everything that happened to one patient, newest first."""
    patient = patient_in(request.clinic, patient_pk)
    write_audit("read_timeline", by=request.staff, at=request.at, patient_id=patient.pk, obj=patient)
    stage = request.GET.get("stage", "")
    after = _key(request, "after")
    page = queries.timeline_page(patient, stage, after)
    present = queries.timeline_stages(patient)
    context = {
        "patient": patient,
        "page": page,
        "lines": timeline_lines(page.lines),
        "stage": stage,
        "stages": [(s, word) for s, word in ROOM_WORDS.items() if s in present],
        "after": after,
    }
    return render(request, "journey/timeline.html", context)


def _key(request: StaffRequest, name: str) -> int | None:
    """Return a key from the address, or ``None`` for anything that is none."""
    word = request.GET.get(name, "")
    return int(word) if word.isdecimal() and len(word) < 19 else None
