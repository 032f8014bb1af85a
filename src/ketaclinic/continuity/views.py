"""The page for the downtime, the empty forms, and typing in from paper afterwards."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.audit.noted import note_people
from ketaclinic.continuity.actions.restored import acknowledge_restoration
from ketaclinic.continuity.actions.sheets import BLANK, blank_form
from ketaclinic.continuity.forms import FindPatientForm, PaperEntryForm, PaperSessionForm
from ketaclinic.continuity.presenters.paper import paper_page
from ketaclinic.continuity.presenters.sheets import blank_heading
from ketaclinic.continuity.queries.paper import booking_kept, to_enter
from ketaclinic.continuity.queries.restorations import newest_restoration, restoration_in
from ketaclinic.continuity.queries.status import OLDEST, sheet_status
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.queries import patient_in, patient_numbered
from ketaclinic.planning.models import Plan
from ketaclinic.planning.queries import active_plan
from ketaclinic.treatment import queries as treatment
from ketaclinic.treatment.actions import NeedsConfirming, Paper, new_key, open_session, record_event
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.models import Session
from ketaclinic.treatment.permissions import enters_signature
from ketaclinic.treatment.presenters import entries_from
from ketacore.evidence import Refusal


@require_GET
@requires(Permission.SEE_DOWNTIME)
def downtime(request: StaffRequest) -> HttpResponse:
    """Say how old the printed sheets are, offer the empty forms, and tell what to do when the server is gone."""
    status = sheet_status(settings.DOWNTIME, request.clinic.pk)
    context = {
        "status": status,
        "stale": status.stale(request.at),
        "minutes": status.minutes(request.at),
        "oldest": int(OLDEST.total_seconds() // 60),
        "folder": settings.DOWNTIME if request.staff.may(Permission.MANAGE_STAFF) else None,
        "restoration": newest_restoration(request.clinic),
    }
    return render(request, "continuity/downtime.html", context)


@require_GET
@requires(Permission.SEE_DOWNTIME)
def blank(request: StaffRequest, form: str) -> HttpResponse:
    """Send an empty form as PDF."""
    if form not in BLANK:
        raise Http404("No such form.")
    reply = HttpResponse(blank_form(form, blank_heading(request.clinic)), content_type="application/pdf")
    reply["Content-Disposition"] = f'inline; filename="{form}.pdf"'
    return reply


@require_POST
@requires(Permission.MANAGE_STAFF)
def restoration_seen(request: StaffRequest, restoration_pk: int) -> HttpResponseBase:
    """Write down who has read which entries a restore has lost."""
    row = restoration_in(request.clinic, restoration_pk)
    acknowledge_restoration(restoration=row, by=request.staff, at=request.at)
    messages.success(request, "Recorded: you have read which entries are missing.")
    return redirect("continuity:downtime")


@require_http_methods(["GET", "POST"])
@requires(Permission.RUN_SESSION)
def paper(request: StaffRequest) -> HttpResponseBase:
    """Show where entries from paper belong; a record number leads to a session nobody had booked."""
    form = FindPatientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        patient = patient_numbered(request.clinic, form.cleaned_data["record_number"])
        if patient is not None:
            return redirect("continuity:paper_open", patient_pk=patient.pk)
        form.add_error("record_number", "No patient of this clinic has this number.")
    found = to_enter(request.clinic, request.at)
    note_people(len(found.open) + len(found.bookings))
    return render(request, "continuity/paper.html", {"found": found, "form": form})


@require_http_methods(["GET", "POST"])
@requires(Permission.RUN_SESSION, fresh="open a session that ran on paper")
def paper_open(request: StaffRequest, patient_pk: int) -> HttpResponseBase:
    """Open a session that ran on paper, with the time at which it began."""
    patient = patient_in(request.clinic, patient_pk)
    booking = booking_kept(patient, request.GET.get("booking", ""))
    begin: dict[str, object] = {"entry_key": new_key()}
    if booking is not None:
        begin |= {"happened_at": booking.starts_at, "chair": booking.chair}
    form = PaperSessionForm(request.POST or None, clinic=request.clinic, initial=begin)
    refusal = None
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        happened_at: datetime = told.pop("happened_at")
        try:
            session = open_session(
                patient=patient,
                plan=_plan(patient, happened_at),
                booking=booking,
                by=request.staff,
                at=happened_at,
                recorded_at=request.at,
                paper=Paper(told.pop("reason")),
                **told,
            )
        except Refusal as refused:
            refusal = refused
        else:
            return redirect("continuity:paper_entries", session_pk=session.pk)
    context = {"patient": patient, "booking": booking, "form": form, "refusal": refusal}
    return render(request, "continuity/paper_open.html", context, status=409 if refusal else 200)


def _plan(patient: Patient, at: datetime) -> Plan:
    plan = active_plan(patient, at)
    if plan is None:
        raise Refusal(
            "Opening a session from paper", ["no signed plan stood at that time"], "Check the time, or the plan."
        )
    return plan


@require_http_methods(["GET", "POST"])
@requires(Permission.RUN_SESSION, fresh="sign in this session", fresh_when=enters_signature)
def paper_entries(request: StaffRequest, session_pk: int) -> HttpResponseBase:
    """Type in the entries of a session in their order, each with the time at which it happened."""
    session = treatment.session_in(request.clinic, session_pk)
    kind = request.POST.get("kind", request.GET.get("kind", ""))
    rows = list(treatment.events_of(session, request.at))
    latest = rows[0].at if rows else session.at
    begin = {"entry_key": new_key(), "happened_at": request.GET.get("after") or latest}
    form = PaperEntryForm(request.POST or None, initial=begin)
    refusal, asks = None, False
    if request.method == "POST" and form.is_valid():
        try:
            _record(request, session, form)
        except Refusal as refused:
            refusal, asks = refused, isinstance(refused, NeedsConfirming)
        else:
            messages.success(request, "Recorded, with its own time and the time of now.")
            return redirect(f"{request.path}?{urlencode({'kind': kind, 'after': request.POST['happened_at']})}")
    page = paper_page(
        session,
        facts_of(session, request.at),
        rows,
        kind=kind,
        typed=request.POST,
        staff=request.staff,
        at=request.at,
    )
    context = {"page": page, "patient": page.patient, "form": form, "refusal": refusal, "asks": asks}
    return render(request, "continuity/paper_entries.html", context, status=409 if refusal else 200)


def _record(request: StaffRequest, session: Session, form: PaperEntryForm) -> None:
    """Keep one line of the sheet, as a whole or not at all."""
    told = form.cleaned_data
    with transaction.atomic():
        for entry in entries_from(request.POST):
            record_event(
                session=session,
                kind=entry.kind,
                payload=entry.payload,
                by=request.staff,
                at=told["happened_at"],
                recorded_at=request.at,
                paper=Paper(told["reason"], told["confirmed"]),
                entry_key=entry.entry_key,
            )
