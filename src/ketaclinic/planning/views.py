"""The patient's plan and its sessions on the calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.queries import patient_in
from ketaclinic.planning.actions import (
    USUAL_TIME,
    book_series,
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
    PlanForm,
    SeriesForm,
    choices_of,
    suggested_dose,
)
from ketaclinic.planning.models import Booking, Plan
from ketaclinic.planning.presenters import dose_options, history, plan_view, preview, protocol_choices
from ketaclinic.planning.queries import active_plan, booking_in, plan_in, weights_of
from ketaclinic.policy.queries import rules_line, setting_of
from ketacore.evidence import Refusal
from ketacore.planning import PROTOCOLS, Protocol

USUAL_CLOSED = [5, 6]


@require_GET
@requires(Permission.SEE_PATIENTS)
def patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show the standing plan with its sessions, or help to make one."""
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
                "closed_weekdays": USUAL_CLOSED,
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
    chosen = request.GET.get("protocol", request.POST.get("protocol", ""))
    choices = protocol_choices(person, request.at, chosen)
    context: dict[str, Any] = {"choices": choices, "line": rules_line(request.clinic, request.at)}
    if chosen not in PROTOCOLS:
        return context
    protocol = PROTOCOLS[chosen]
    form = PlanForm(request.GET, protocol=protocol) if "starts_on" in request.GET else _fresh(request, protocol)
    return context | _chosen(request, person, protocol, form)


def _fresh(request: StaffRequest, protocol: Protocol) -> PlanForm:
    first = request.clinic.day_of(request.at) + timedelta(days=1)
    while first.weekday() in USUAL_CLOSED:
        first += timedelta(days=1)
    values = {"dose": suggested_dose(protocol).normalize(), "starts_on": first.isoformat(), "protocol": ""}
    return PlanForm(values, protocol=protocol)


def _chosen(request: StaffRequest, person: Patient, protocol: Protocol, form: PlanForm) -> dict[str, Any]:
    """Return the form with its dated preview; a choice that does not fit is told beside it."""
    shown, refusal = None, None
    if form.is_valid():
        try:
            shown = preview(person, protocol, form.choices(), request.at)
        except Refusal as told:
            refusal = told
    dose = form.cleaned_data.get("dose") if form.is_bound else None
    return {
        "protocol": protocol,
        "form": form,
        "preview": shown,
        "refusal": refusal,
        "doses": dose_options(protocol, setting_of(request.clinic, request.at, protocol.product), dose),
        "weights": weights_of(person, request.at) if protocol.dose_unit == "mg/kg" else [],
    }


@require_POST
@requires(Permission.SIGN_PLAN)
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
@requires(Permission.SIGN_PLAN)
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
@requires(Permission.SIGN_PLAN)
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
    if booked.bookings:
        messages.success(request, f"{len(booked.bookings)} sessions are booked.")
    else:
        messages.info(request, "Every session of these weeks is booked already.")
    if booked.without_chair:
        days = ", ".join(f"{day:%a %d %b}" for day in booked.without_chair)
        messages.warning(request, f"No place was found for: {days}. Book these by hand or choose another time.")
    return redirect("planning:patient", plan.patient_id)


@require_http_methods(["GET", "POST"])
@requires(Permission.BOOK_SESSION)
def move(request: StaffRequest, booking_pk: int) -> HttpResponse:
    """Move one session to another day, time or chair."""
    booking = booking_in(request.clinic, booking_pk)
    local = booking.starts_at.astimezone(request.clinic.zone)
    start = {"day": local.date(), "time": local.time(), "chair": booking.chair}
    form = MoveForm(request.POST or None, clinic=request.clinic, initial=start)
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
    }
    return render(request, "planning/booking.html", context, status=409 if refusal else 200)


@require_POST
@requires(Permission.BOOK_SESSION)
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
