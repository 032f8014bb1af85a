"""The page of a patient's long-term screens."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.queries import patient_in
from ketaclinic.people.seen import edits
from ketaclinic.surveillance import actions, presenters, queries
from ketaclinic.surveillance.forms import CorrectionForm, ScreenForm, standing_result, values_of
from ketacore.evidence import Refusal
from ketacore.surveillance import SCREEN


@require_safe
@requires(Permission.SEE_CHART)
def patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show which screens are due, and what was found."""
    person = patient_in(request.clinic, patient_pk)
    page = presenters.surveillance_page(person, request.at)
    return render(request, "surveillance/patient.html", {"patient": person, "page": page})


@requires(Permission.RECORD_SCREEN)
def record(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Record a screen that was done."""
    person = patient_in(request.clinic, patient_pk)
    key = request.POST.get("entry_key", "")[:64] or uuid4().hex
    asked = request.GET.get("kind", "")
    form = ScreenForm(
        request.POST or None,
        today=request.clinic.day_of(request.at),
        initial={"kind": asked if asked in SCREEN else ""},
    )
    context = {"patient": person, "form": form, "key": key}
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        done_at = _moment(values.pop("done_on"), request)
        try:
            row = actions.record_screen(
                patient=person, entry_key=key, by=request.staff, at=request.at, done_at=done_at, **values
            )
        except Refusal as refusal:
            return render(request, "surveillance/record.html", {**context, "refusal": refusal}, status=409)
        messages.success(request, f"Saved. {row.get_kind_display()}: {row.get_result_display().lower()}.")
        return redirect("surveillance:patient", person.pk)
    return render(request, "surveillance/record.html", context, status=422 if request.method == "POST" else 200)


@requires(Permission.RECORD_SCREEN)
@edits(standing_result, token=False)
def correct(request: StaffRequest, pk: int) -> HttpResponse:
    """Correct a result; the old one is kept."""
    row = queries.result_in(request.clinic, pk)
    key = request.POST.get("entry_key", "")[:64] or uuid4().hex
    was = values_of(row)
    form = CorrectionForm(request.POST or None, today=request.clinic.day_of(request.at), initial=was)
    context = {"patient": row.patient, "form": form, "key": key, "row": row}
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        chosen = values.pop("done_on")
        done_at = row.at if chosen in (None, was["done_on"]) else _moment(chosen, request)
        try:
            actions.amend_screen(row=row, entry_key=key, by=request.staff, at=request.at, done_at=done_at, **values)
        except Refusal as refusal:
            return render(request, "surveillance/record.html", {**context, "refusal": refusal}, status=409)
        messages.success(request, "Corrected. The earlier result is kept.")
        return redirect("surveillance:patient", row.patient_id)
    return render(request, "surveillance/record.html", context, status=422 if request.method == "POST" else 200)


def _moment(day: date | None, request: StaffRequest) -> datetime:
    """Return noon of a past day, or now."""
    if day is None or day == request.clinic.day_of(request.at):
        return request.at
    return datetime.combine(day, time(12), request.clinic.zone)
