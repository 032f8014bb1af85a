"""The patient's plan and its sessions on the calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.presenters import weekday_words
from ketaclinic.people.queries import patient_in
from ketaclinic.people.seen import edits
from ketaclinic.planning.actions import (
    USUAL_TIME,
    BookedSeries,
    book_series,
    book_session,
    cancel_booking,
    change_plan,
    end_plan,
    miss_booking,
    move_booking,
    protocol_named,
    sign_plan,
)
from ketaclinic.planning.forms import (
    CancelForm,
    ChangeForm,
    EndForm,
    MoveForm,
    OneForm,
    PlanForm,
    SeriesForm,
    choices_of,
    place_of,
    standing_booking,
    standing_plan,
    suggested_dose,
)
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.planning.presenters import (
    Asked,
    dose_options,
    expected_of,
    history,
    plan_view,
    preview,
    protocol_choices,
    settled_words,
)
from ketaclinic.planning.queries import USUALLY_CLOSED, active_plan, booking_in, closed_for, plan_in, weights_of
from ketaclinic.policy.queries import rules_line, setting_of
from ketacore.evidence import Refusal
from ketacore.planning import PROTOCOLS, Protocol


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SEE_PATIENTS, asking=True)
def patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show the standing plan with its sessions, or help to make one.

    The choices tried out so far come in the body: reason and goals are nothing for an address. Nothing is stored.
    """
    person = patient_in(request.clinic, patient_pk)
    return _page(request, person)


def _page(request: StaffRequest, person: Patient, **given: Any) -> HttpResponse:
    plan = active_plan(person, request.at)
    context: dict[str, Any] = {
        "patient": person,
        "refusal": None,
        "history": history(person, request.staff, request.at),
    }
    if plan is not None:
        context |= _standing(request, plan)
    elif request.staff.may(Permission.SEE_CHART):
        context |= _making(request, person)
    context |= {name: value for name, value in given.items() if value is not None}
    refused = context["refusal"] is not None and request.method == "POST"
    return render(request, "planning/patient.html", context, status=409 if refused else 200)


def _standing(request: StaffRequest, plan: Plan) -> dict[str, Any]:
    protocol = PROTOCOLS[plan.protocol_id]
    previous = None if plan.dose_mg is None else float(plan.dose_mg)
    return {
        "view": plan_view(plan, request.staff, request.at),
        "series_form": SeriesForm(
            clinic=request.clinic,
            initial={
                "starts_at": USUAL_TIME,
                "weeks": protocol.preview_weeks,
                "closed_weekdays": closed_for(plan.customised.get("weekdays", ()), plan.starts_on),
            },
        ),
        "change_form": ChangeForm(protocol=protocol, initial=choices_of(plan)),
        "doses": dose_options(
            protocol,
            setting_of(request.clinic, request.at, protocol.product),
            choices_of(plan)["dose"],
            previous if protocol.dose_unit == "mg" else None,
        ),
        "end_form": EndForm(),
        "weights": weights_of(plan.patient, request.at) if protocol.dose_unit == "mg/kg" else [],
    }


def _making(request: StaffRequest, person: Patient) -> dict[str, Any]:
    tried = request.POST
    chosen = tried.get("protocol", request.GET.get("protocol", ""))
    choices = protocol_choices(person, request.at, chosen)
    context: dict[str, Any] = {"choices": choices, "line": rules_line(request.clinic, request.at)}
    if chosen not in PROTOCOLS:
        return context
    protocol = PROTOCOLS[chosen]
    form = PlanForm(tried, protocol=protocol) if "starts_on" in tried else _fresh(request, protocol)
    return context | _chosen(request, person, protocol, form)


def _fresh(request: StaffRequest, protocol: Protocol) -> PlanForm:
    first = request.clinic.day_of(request.at) + timedelta(days=1)
    while first.weekday() in USUALLY_CLOSED:
        first += timedelta(days=1)
    values = {
        "dose": suggested_dose(protocol).normalize(),
        "starts_on": first.isoformat(),
        "protocol": "",
        "beside_protocol": protocol.protocol_id,
    }
    return PlanForm(values, protocol=protocol)


def _chosen(request: StaffRequest, person: Patient, protocol: Protocol, form: PlanForm) -> dict[str, Any]:
    """Return the form with its dated preview; a choice that does not fit is told beside it."""
    shown, refusal, course = None, None, None
    if form.is_valid():
        planned = Asked(protocol, float(form.cleaned_data["dose"]))
        course = expected_of(planned, Asked(*form.compared_with()), person, request.at)
        try:
            shown = preview(person, protocol, form.choices(), request.at)
        except Refusal as told:
            refusal = told
    dose = form.cleaned_data.get("dose") if form.is_bound else None
    return {
        "protocol": protocol,
        "form": form,
        "preview": shown,
        "course": course,
        "refusal": refusal,
        "doses": dose_options(protocol, setting_of(request.clinic, request.at, protocol.product), dose),
        "weights": weights_of(person, request.at) if protocol.dose_unit == "mg/kg" else [],
    }


@require_POST
@requires(Permission.SIGN_PLAN, fresh="sign this plan")
def sign(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Sign the plan that was chosen; what can be mended is shown beside the form, with everything that was typed."""
    person = patient_in(request.clinic, patient_pk)
    protocol = protocol_named(request.POST.get("protocol", ""))
    form = PlanForm(request.POST, protocol=protocol)
    if not form.is_valid():
        return _page(request, person, **_chosen(request, person, protocol, form))
    try:
        plan = sign_plan(
            patient=person, protocol_id=protocol.protocol_id, choices=form.choices(), by=request.staff, at=request.at
        )
    except Refusal as refusal:
        return _page(request, person, **{**_chosen(request, person, protocol, form), "refusal": refusal})
    messages.success(request, f"The plan of {plan.patient} is signed. Book its sessions below.")
    return redirect("planning:patient", person.pk)


@require_POST
@requires(Permission.SIGN_PLAN, fresh="sign the changed plan")
@edits(standing_plan, token=False)
def change(request: StaffRequest, plan_pk: int) -> HttpResponse:
    """Sign a changed version of the plan."""
    plan = plan_in(request.clinic, plan_pk)
    form = ChangeForm(request.POST, protocol=PROTOCOLS[plan.protocol_id])
    if not form.is_valid():
        return _page(request, plan.patient, change_form=form)
    try:
        change_plan(
            plan=plan,
            choices=form.choices(),
            reason=form.cleaned_data["change_reason"],
            by=request.staff,
            at=request.at,
        )
    except Refusal as refusal:
        return _page(request, plan.patient, change_form=form, refusal=refusal)
    messages.success(request, "The plan is changed; the earlier version is kept.")
    return redirect("planning:patient", plan.patient_id)


@require_POST
@requires(Permission.SIGN_PLAN, fresh="end this plan")
@edits(standing_plan, token=False)
def end(request: StaffRequest, plan_pk: int) -> HttpResponse:
    """End the plan and cancel its sessions to come."""
    plan = plan_in(request.clinic, plan_pk)
    form = EndForm(request.POST)
    if not form.is_valid():
        return _page(request, plan.patient, end_form=form)
    end_plan(
        plan=plan, why=form.cleaned_data["why"], reason=form.cleaned_data["reason"], by=request.staff, at=request.at
    )
    messages.success(request, "The plan has ended and its sessions to come are cancelled.")
    return redirect("planning:patient", plan.patient_id)


@require_POST
@requires(Permission.BOOK_SESSION)
@edits(standing_plan, token=False)
def book(request: StaffRequest, plan_pk: int) -> HttpResponse:
    """Put the sessions that are not booked yet on the calendar."""
    plan = plan_in(request.clinic, plan_pk)
    form = SeriesForm(request.POST, clinic=request.clinic)
    if not form.is_valid():
        return _page(request, plan.patient, series_form=form)
    try:
        booked = book_series(plan=plan, by=request.staff, at=request.at, **form.cleaned_data)
    except Refusal as refusal:
        return _page(request, plan.patient, series_form=form, refusal=refusal)
    _tell_series(request, booked, f"{form.cleaned_data['starts_at']:%H:%M}")
    return redirect("planning:patient", plan.patient_id)


def _tell_series(request: StaffRequest, booked: BookedSeries, wished: str) -> None:
    """Say what was booked, what was booked at another time than wished, and what has to be booked by hand."""
    if booked.bookings:
        count = len(booked.bookings)
        messages.success(request, "1 session is booked." if count == 1 else f"{count} sessions are booked.")
    else:
        messages.info(request, "Every session of these weeks is booked already, or was cancelled or missed.")
    if booked.at_another_time:
        told = "; ".join(_when(b, request) for b in booked.at_another_time)
        messages.warning(request, f"No chair was free at {wished}, so these are at another time: {told}.")
    if booked.without_chair:
        days = ", ".join(weekday_words(day) for day in booked.without_chair)
        messages.warning(request, f"No place was found for: {days}. Book each of them by hand below.")


def _when(booking: Booking, request: StaffRequest) -> str:
    local = booking.starts_at.astimezone(request.clinic.zone)
    return f"{weekday_words(local.date())} at {local:%H:%M} on chair {booking.chair}"


@require_http_methods(["GET", "POST"])
@requires(Permission.BOOK_SESSION)
@edits(standing_plan, token=False)
def book_one(request: StaffRequest, plan_pk: int) -> HttpResponse:
    """Book one session by hand: one left out, one cancelled or missed, or one more."""
    plan = plan_in(request.clinic, plan_pk)
    asked = {name: request.GET.get(name, "") for name in ("number", "day", "chair")}
    start = {"time": USUAL_TIME, **{name: value for name, value in asked.items() if value}}
    form = OneForm(request.POST or None, clinic=request.clinic, initial=start)
    refusal = None
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            booking = book_session(
                plan=plan,
                starts_at=form.starts_at,
                by=request.staff,
                at=request.at,
                chair=chosen["chair"],
                number=chosen["number"],
            )
        except Refusal as told:
            refusal = told
        else:
            messages.success(request, f"Session {booking.number} is booked: {_when(booking, request)}.")
            return redirect("planning:patient", plan.patient_id)
    context = {
        "patient": plan.patient,
        "plan": plan,
        "form": form,
        "number": form["number"].value(),
        "refusal": refusal,
    }
    status = 409 if refusal else 422 if form.errors else 200
    return render(request, "planning/one.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Permission.BOOK_SESSION)
@edits(standing_booking, token=False)
def move(request: StaffRequest, booking_pk: int) -> HttpResponse:
    """Move one session to another day, time or chair."""
    booking = booking_in(request.clinic, booking_pk)
    form = MoveForm(request.POST or None, clinic=request.clinic, initial=place_of(booking))
    if request.method != "POST" or not form.is_valid():
        return _booking(request, booking, form)
    try:
        move_booking(
            booking=booking,
            starts_at=form.starts_at,
            chair=form.cleaned_data["chair"],
            reason=form.cleaned_data["reason"],
            by=request.staff,
            at=request.at,
        )
    except Refusal as refusal:
        return _booking(request, booking, form, refusal)
    messages.success(request, f"Session {booking.number} is moved.")
    return redirect("planning:patient", booking.patient_id)


def _booking(request: StaffRequest, booking: Booking, form: MoveForm, refusal: Refusal | None = None) -> HttpResponse:
    context = {
        "patient": booking.patient,
        "booking": booking,
        "form": form,
        "cancel_form": CancelForm(auto_id="cancel_%s"),
        "refusal": refusal,
        "passed": booking.starts_at <= request.at,
        "settled": settled_words(booking),
    }
    return render(request, "planning/booking.html", context, status=409 if refusal else 200)


@require_POST
@requires(Permission.BOOK_SESSION)
@edits(standing_booking, token=False)
def cancel(request: StaffRequest, booking_pk: int) -> HttpResponse:
    """Cancel a session to come, or record one as missed."""
    booking = booking_in(request.clinic, booking_pk)
    reason = request.POST.get("reason", "")[:400]
    if booking.starts_at <= request.at:
        miss_booking(booking=booking, reason=reason, by=request.staff, at=request.at)
        messages.success(request, f"Session {booking.number} is recorded as missed.")
    else:
        cancel_booking(booking=booking, reason=reason, by=request.staff, at=request.at)
        messages.success(request, f"Session {booking.number} is cancelled.")
    return redirect("planning:patient", booking.patient_id)
