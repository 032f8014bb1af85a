"""First pages, the list of patients, the chart, the timeline."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from ketaclinic.aftercare.actions import prepare_sheet, print_sheet
from ketaclinic.audit.noted import note_opened, note_people
from ketaclinic.journey import queries
from ketaclinic.journey.presenters.chart import chart_of, findings_now
from ketaclinic.journey.presenters.home import FIRST_PAGES
from ketaclinic.journey.presenters.lists import patient_lines, timeline_lines
from ketaclinic.journey.presenters.own import own_page, ward_page
from ketaclinic.journey.presenters.words import FOUND_WORDS, ROOM_WORDS, address
from ketaclinic.people.middleware import OwnRequest, StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import OwnRole, Permission, Role, acting, requires
from ketaclinic.people.queries import member_in, patient_in
from ketaclinic.policy.queries import setting_of
from ketaclinic.treatment.presenters.present import InTheChair, in_the_chair
from ketaclinic.treatment.queries import open_session_of


@require_safe
@requires(Permission.SEE_HOME)
def home(request: StaffRequest | OwnRequest) -> HttpResponse:
    """Show the first page of the person's role; that of a nurse, a patient or a caregiver is a page of its own."""
    person = acting(request)
    if person.role in OWN_PAGES:
        return redirect(OWN_PAGES[person.role])
    role = Role(person.role)
    if role is Role.NURSE:
        return redirect("treatment:floor")
    present = FIRST_PAGES[role]
    page = present(person, request.at, request.GET.get("open", ""))
    if page.people:
        note_people(page.people)
    return render(request, "journey/home.html", {"page": page})


OWN_PAGES = {OwnRole.PATIENT: "journey:own", OwnRole.CAREGIVER: "journey:ward"}
"""The one page of those who see only their own care."""


@require_safe
@requires(Permission.SEE_OWN_CARE)
def own(request: OwnRequest) -> HttpResponse:
    """Show a patient their own care: what to do now, the next visit, how they have been, whom to call."""
    care = queries.own_care(request.own.patient, request.at)
    note_opened(care.patient)
    return render(request, "journey/own.html", {"page": own_page(care, request.at)})


@require_safe
@requires(Permission.SEE_OWN_CARE)
def own_sheet(request: OwnRequest) -> HttpResponse:
    """Send a patient the aftercare sheet of their last session as PDF."""
    patient = request.own.patient
    session = queries.last_given_of(patient, request.at)
    if session is None:
        raise Http404("There is no sheet yet.")
    note_opened(session)
    reply = HttpResponse(print_sheet(prepare_sheet(session, request.at)), content_type="application/pdf")
    reply["Content-Disposition"] = 'inline; filename="after-your-session.pdf"'
    return reply


@require_safe
@requires(Permission.SEE_WARD)
def ward(request: OwnRequest) -> HttpResponse:
    """Show a caregiver where the patient is during a session, when to come, what to watch, whom to call."""
    patient, caregiver = request.own.patient, request.own.caregiver
    assert caregiver is not None, "only a caregiver's sign-in has this permission"
    note_opened(patient)
    return render(request, "journey/ward.html", {"page": ward_page(patient, caregiver, request.at)})


@require_safe
@requires(Permission.MANAGE_STAFF)
def duties(request: StaffRequest, staff_pk: int) -> HttpResponse:
    """Show what a member of staff leaves open, without clinical text: somebody else must take it over."""
    member = member_in(request.clinic, staff_pk)
    found = queries.duties_of(member, request.at)
    note_people(len({duty.patient.pk for duty in found}))
    return render(request, "journey/duties.html", {"member": member, "duties": found})


@require_safe
@requires(Permission.SEE_CHART)
def findings(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show beside the list how one candidate stands now; asked for on its own, so that the list does not wait."""
    patient = patient_in(request.clinic, patient_pk)
    context = {"findings": findings_now(patient, request.at)}
    return render(request, "journey/findings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SEE_PATIENTS, asking=True)
def patients(request: StaffRequest) -> HttpResponse:
    """Show and search the clinic's patients. A name that is looked for comes in the body, never in the address."""
    see_chart = request.staff.may(Permission.SEE_CHART)
    asked = request.POST if request.method == "POST" else request.GET
    words = request.POST.get("words", "").strip()[:80]
    stage = asked.get("stage", "") if see_chart else ""
    stage = stage if stage in FOUND_WORDS else ""
    setting = setting_of(request.clinic, request.at)
    page = queries.patient_page(
        request.clinic,
        setting,
        request.at,
        words=words,
        stage=stage,
        after=_key(asked, "after"),
        before=_key(asked, "before"),
    )
    note_people(len(page.ways))
    context = {
        "lines": patient_lines(page.ways, request.clinic, setting, see_chart),
        "page": page,
        "words": words,
        "stage": stage,
        "stages": FOUND_WORDS.items(),
        "see_chart": see_chart,
        "import_url": address("fhir:import"),
    }
    return render(request, "journey/found.html" if request.htmx else "journey/patients.html", context)


@require_safe
@requires(Permission.SEE_CHART)
def chart(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show one patient: where on the pathway, what happened, what is next and why."""
    row = queries.chart_row(request.clinic, patient_pk, request.at)
    context = {"patient": row.patient, "row": row, "chart": chart_of(row, request.at, request.staff.permissions)}
    if getattr(request, "emergency", None) is not None:
        context["in_chair"] = _in_chair(row.patient, request.at)
    return render(request, "journey/chart.html", context)


def _in_chair(patient: Patient, at: datetime) -> InTheChair | None:
    found = open_session_of(patient, at)
    return in_the_chair(found, setting_of(patient.clinic, at, found.session.product), at) if found else None


@require_safe
@requires(Permission.SEE_CHART)
def timeline(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show everything that happened to one patient, newest first."""
    patient = patient_in(request.clinic, patient_pk)
    stage = request.GET.get("stage", "")
    after = _key(request.GET, "after")
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


def _key(asked: QueryDict, name: str) -> int | None:
    """Return a key that was asked for, or ``None`` for anything that is none."""
    word = asked.get(name, "")
    return int(word) if word.isdecimal() and len(word) < 19 else None
