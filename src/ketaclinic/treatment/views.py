"""Floor board, wall display and session screen; every entry of the tablet comes in through ``record``."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.audit.noted import note_people
from ketaclinic.design.middleware import refused
from ketaclinic.people.answers import wants_json
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.permissions import Permission, requires, seen_while_locked
from ketaclinic.people.queries import patient_in
from ketaclinic.people.seen import edits
from ketaclinic.planning.queries import active_plan
from ketaclinic.policy.queries import setting_of
from ketaclinic.treatment import actions, presenters, queries
from ketaclinic.treatment.facts import facts_of
from ketaclinic.treatment.forms import AmendForm, EnrolmentForm, OpenSessionForm, standing_enrolment, standing_entry
from ketaclinic.treatment.models import Session, SessionEvent
from ketaclinic.treatment.permissions import SIGNATURES, enters_signature
from ketaclinic.treatment.presenters.wire import Entry, entries_from, payload_from
from ketacore.evidence import Refusal
from ketacore.treatment import phase


def _board(request: StaffRequest, template: str) -> HttpResponse:
    signed = setting_of(request.clinic, request.at)
    sessions, bookings, gates = queries.on_the_floor(request.clinic, request.at, signed)
    board = presenters.floor_board(
        request.clinic,
        sessions,
        bookings,
        gates,
        lambda product: replace(signed, product=product),
        at=request.at,
        staff=request.staff,
    )
    note_people(len(sessions) + len(bookings))
    return render(request, template, {"floor": board})


@require_GET
@requires(Permission.SEE_FLOOR)
def floor(request: StaffRequest) -> HttpResponse:
    """Show every chair: phase, minute, next due, alerts; and who arrives."""
    return _board(request, "treatment/floor.html")


@require_GET
@requires(Permission.SEE_FLOOR, polling=True)
def floor_live(request: StaffRequest) -> HttpResponse:
    """Show the part of the floor board that is renewed every few seconds."""
    return _board(request, "treatment/floor_live.html")


@require_GET
@requires(Permission.SEE_FLOOR)
def wall(request: StaffRequest) -> HttpResponse:
    """Show the floor without names, to be read from across the room."""
    return _board(request, "treatment/wall.html")


@seen_while_locked
@require_GET
@requires(Permission.SEE_FLOOR, polling=True)
def wall_live(request: StaffRequest) -> HttpResponse:
    """Show the part of the wall display that is renewed every few seconds."""
    return _board(request, "treatment/wall_live.html")


@require_GET
@requires(Permission.RUN_SESSION)
def session(request: StaffRequest, session_pk: int) -> HttpResponse:
    """Show one session on one time axis, with what is due and what may be recorded."""
    return _screen(request, queries.session_in(request.clinic, session_pk))


@require_GET
@requires(Permission.RUN_SESSION, polling=True)
def session_live(request: StaffRequest, session_pk: int) -> HttpResponse:
    """Show the same to the screen itself, which asks every few seconds."""
    return _screen(request, queries.session_in(request.clinic, session_pk))


def _screen(request: StaffRequest, session: Session, refusal: Refusal | None = None, status: int = 200) -> HttpResponse:
    setting = setting_of(request.clinic, request.at, session.product)
    screen = presenters.session_screen(
        session,
        facts_of(session, request.at, setting),
        setting,
        list(queries.events_of(session, request.at)),
        at=request.at,
        staff=request.staff,
    )
    context = {
        "screen": screen,
        "session": session,
        "patient": session.patient,
        "refusal": refusal,
        "typed": request.POST,
    }
    template = "treatment/_screen.html" if request.htmx else "treatment/session.html"
    return render(request, template, context, status=status)


@require_POST
@requires(Permission.RUN_SESSION, fresh="sign in this session", fresh_when=enters_signature)
def record(request: StaffRequest, session_pk: int) -> HttpResponseBase:
    """Write down one entry, or the several of the vitals pad; again the same entry, again the same answer."""
    session = queries.session_in(request.clinic, session_pk)
    try:
        with transaction.atomic():  # the pad is kept as a whole or not at all
            rows = [_record(request, session, entry) for entry in entries_from(request.POST)]
    except Refusal as refusal:
        return _refused(request, session, refusal)
    return _saved(request, session, rows)


def _record(request: StaffRequest, session: Session, entry: Entry) -> SessionEvent:
    """Keep one entry at the moment it was tapped; a clock that is a little off counts as right."""
    at = entry.at or request.at
    if request.at < at <= request.at + actions.CLOCKS_DIFFER:
        at = request.at
    elif session.at - actions.CLOCKS_DIFFER <= at < session.at:
        at = session.at
    return actions.record_event(
        session=session,
        kind=entry.kind,
        payload=entry.payload,
        by=request.staff,
        at=at,
        recorded_at=request.at,
        entry_key=entry.entry_key,
    )


def _saved(request: StaffRequest, session: Session, rows: list[SessionEvent]) -> HttpResponseBase:
    if wants_json(request):
        now = phase(facts_of(session, request.at), request.at)
        saved = [{"pk": row.pk, "entry_key": row.entry_key, "at": row.at.isoformat()} for row in rows]
        return JsonResponse({"saved": saved, "phase": now.value})
    if request.htmx:
        return _screen(request, session)
    return redirect("treatment:session", session_pk=session.pk)


def _refused(request: StaffRequest, session: Session, refusal: Refusal) -> HttpResponseBase:
    if wants_json(request):
        return refused(request, refusal)
    return _screen(request, session, refusal, status=409)


@require_POST
@requires(Permission.RUN_SESSION)
def acknowledge(request: StaffRequest, session_pk: int) -> HttpResponseBase:
    """Write down who has seen an alert, and go back to where it was seen."""
    session = queries.session_in(request.clinic, session_pk)
    try:
        row = actions.acknowledge_alert(
            session=session,
            alert=request.POST.get("alert", "")[:200],
            by=request.staff,
            at=request.at,
            entry_key=request.POST.get("entry_key", "")[:64],
        )
    except Refusal as refusal:
        return _refused(request, session, refusal)
    target = request.POST.get("next", "")
    if not wants_json(request) and url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        return redirect(target)
    return _saved(request, session, [row])


def _undoes_signature(request: StaffRequest, *, session_pk: int, **address: object) -> bool:
    newest = queries.newest_to_undo(request.clinic, session_pk, request.staff)
    return newest is not None and newest.kind in SIGNATURES


@require_POST
@requires(Permission.RUN_SESSION, fresh="take a signature back", fresh_when=_undoes_signature)
def undo(request: StaffRequest, session_pk: int) -> HttpResponseBase:
    """Take back the newest entry of the person asking."""
    session = queries.session_in(request.clinic, session_pk)
    try:
        row = actions.undo_last(
            session=session, by=request.staff, at=request.at, entry_key=request.POST.get("entry_key", "")[:64]
        )
    except Refusal as refusal:
        return _refused(request, session, refusal)
    return _saved(request, session, [row])


def _amends_signature(request: StaffRequest, *, event_pk: int, **address: object) -> bool:
    return queries.is_signature(request.clinic, event_pk)


@require_http_methods(["GET", "POST"])
@requires(Permission.RUN_SESSION, fresh="correct a signature", fresh_when=_amends_signature)
@edits(standing_entry, token=False)
def amend(request: StaffRequest, session_pk: int, event_pk: int) -> HttpResponseBase:
    """Correct one entry with a reason, or take it back; the old value stays to be seen."""
    session = queries.session_in(request.clinic, session_pk)
    event = queries.event_in(session, event_pk)
    form = AmendForm(request.POST or None, initial={"entry_key": actions.new_key()})
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            row = _amend(request, event, form)
        except Refusal as refused:
            refusal = refused
            if wants_json(request):
                return _refused(request, session, refused)
        else:
            return _saved(request, session, [row])
    elif request.method == "POST" and wants_json(request):
        lines = [f"{name}: {' '.join(map(str, told))}" for name, told in form.errors.items()]
        return _refused(request, session, Refusal("The correction", lines, "Fill this in and send it again."))
    return _amend_page(request, event, form, refusal)


@require_POST
@requires(Permission.RUN_SESSION, asking=True)
def begin_amending(request: StaffRequest, session_pk: int, event_pk: int) -> HttpResponse:
    """Show the page that corrects an entry, with the reason that was typed so far."""
    event = queries.event_in(queries.session_in(request.clinic, session_pk), event_pk)
    return _amend_page(request, event, AmendForm(initial={"entry_key": actions.new_key()}), None)


def _amend_page(request: StaffRequest, event: SessionEvent, form: AmendForm, refusal: Refusal | None) -> HttpResponse:
    context = {
        "session": event.session,
        "patient": event.session.patient,
        "event": event,
        "entry": presenters.amendable(event),
        "form": form,
        "refusal": refusal,
        "typed": request.POST,
    }
    return render(request, "treatment/amend.html", context, status=409 if refusal else 200)


def _amend(request: StaffRequest, event: SessionEvent, form: AmendForm) -> SessionEvent:
    voided = form.cleaned_data["voided"]
    return actions.amend_event(
        event=event,
        by=request.staff,
        at=request.at,
        reason=form.cleaned_data["reason"],
        payload=None if voided else {**event.payload, **payload_from(event.kind, request.POST)},
        happened_at=form.cleaned_data["happened_at"],
        voided=voided,
        entry_key=form.cleaned_data["entry_key"],
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.RUN_SESSION, fresh="open this session")
def open_(request: StaffRequest, patient_pk: int) -> HttpResponseBase:
    """Open today's session of a patient on a free chair."""
    patient = patient_in(request.clinic, patient_pk)
    plan = active_plan(patient, request.at)
    running = queries.open_sessions(request.clinic, request.at)
    mine = next((o.session for o in running if o.session.patient_id == patient.pk), None)
    if mine is not None:
        return redirect("treatment:session", session_pk=mine.pk)
    booking = queries.booking_today(patient, request.at)
    form = OpenSessionForm(
        request.POST or None,
        clinic=request.clinic,
        taken={o.session.chair for o in running},
        initial={"entry_key": actions.new_key(), "chair": booking.chair if booking else None},
    )
    refusal = None
    if request.method == "POST" and plan is not None and form.is_valid():
        try:
            opened = actions.open_session(
                patient=patient, plan=plan, booking=booking, by=request.staff, at=request.at, **form.cleaned_data
            )
        except Refusal as refused:
            refusal = refused
        else:
            return redirect("treatment:session", session_pk=opened.pk)
    context = {
        "patient": patient,
        "plan": plan,
        "booking": booking,
        "form": form,
        "enrolment": queries.enrolment_of(patient, request.at),
        "enrolment_form": EnrolmentForm(initial={"enrolled_on": request.clinic.day_of(request.at)}),
        "refusal": refusal,
        "next_chair": presenters.next_chair(running),
    }
    return render(request, "treatment/open.html", context, status=409 if refusal else 200)


@require_POST
@requires(Permission.RUN_SESSION)
@edits(standing_enrolment)
def enrol(request: StaffRequest, patient_pk: int) -> HttpResponseBase:
    """Record the REMS enrolment of a patient."""
    patient = patient_in(request.clinic, patient_pk)
    form = EnrolmentForm(request.POST)
    if form.is_valid():
        actions.enrol_in_rems(patient=patient, by=request.staff, at=request.at, **form.cleaned_data)
        messages.success(request, "REMS enrolment recorded.")
        return redirect("treatment:open", patient_pk=patient.pk)
    return render(request, "treatment/enrol.html", {"patient": patient, "form": form}, status=422)
