"""The page of a patient's next session."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from ketaclinic.maintenance import actions, queries
from ketaclinic.maintenance.forms import AnswerForm, BenefitForm, standing_answer, standing_benefit
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.presenters import weekday_words
from ketaclinic.people.queries import patient_in
from ketaclinic.people.seen import edits
from ketaclinic.policy.presenters import told as findings_told
from ketacore.evidence import Refusal


@require_safe
@requires(Permission.SEE_CHART)
def patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show the proposal with its reasons, and what was answered before."""
    person = patient_in(request.clinic, patient_pk)
    return _page(request, person)


@requires(Permission.ANSWER_PROPOSAL, fresh="answer the proposal")
@edits(standing_answer)
def answer(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Record the prescriber's answer."""
    person = patient_in(request.clinic, patient_pk)
    form = AnswerForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, person, form=form)
    try:
        row = actions.answer_proposal(patient=person, by=request.staff, at=request.at, **form.cleaned_data)
    except Refusal as refusal:
        return _page(request, person, form=form, refusal=refusal)
    booked = row.booking and row.booking.starts_at.astimezone(request.clinic.zone)
    told = f" Booked: {weekday_words(booked.date())}, {booked:%H:%M}." if booked else ""
    messages.success(request, f"Answer recorded.{told}")
    return redirect("maintenance:patient", person.pk)


@require_POST
@requires(Permission.ANSWER_PROPOSAL, fresh="record whether the treatment helps")
@edits(standing_benefit)
def evaluate(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Record whether the treatment helps."""
    person = patient_in(request.clinic, patient_pk)
    form = BenefitForm(request.POST, prefix="benefit")
    if not form.is_valid():
        return _page(request, person, benefit_form=form)
    try:
        actions.evaluate_benefit(patient=person, by=request.staff, at=request.at, **form.cleaned_data)
    except Refusal as refusal:
        return _page(request, person, benefit_form=form, refusal=refusal)
    messages.success(request, "The benefit is evaluated.")
    return redirect("maintenance:patient", person.pk)


def _page(request: StaffRequest, person: Patient, **given: Any) -> HttpResponse:
    due = queries.next_due(person, request.at)
    context = {
        "patient": person,
        "due": due,
        "findings": findings_told(due.proposal.decision.findings) if due else (),
        "answers": queries.answers_of(person, request.at)[:20],
        "evaluations": queries.evaluations_of(person, request.at)[:20],
        "form": AnswerForm(),
        "benefit_form": BenefitForm(prefix="benefit"),
        "refusal": None,
    } | given
    return render(request, "maintenance/patient.html", context, status=409 if context["refusal"] else 200)
