"""The page of a patient's next session."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from ketaclinic.maintenance import actions, queries
from ketaclinic.maintenance.models import NextSessionAnswer
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.queries import patient_in
from ketacore.evidence import Refusal


class AnswerForm(forms.Form):
    """The prescriber's answer; nothing is chosen beforehand."""

    answer = forms.ChoiceField(choices=NextSessionAnswer.Answer.choices, widget=forms.RadioSelect, label="Your answer")
    next_on = forms.DateField(
        label="Day of the next session", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    reason = forms.CharField(label="Reason", max_length=500, required=False)


@requires(Permission.SEE_CHART)
def patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show the proposal with its reasons, and what was answered before."""
    person = patient_in(request.clinic, patient_pk)
    return _page(request, person, AnswerForm())


@requires(Permission.ANSWER_PROPOSAL)
def answer(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Record the prescriber's answer."""
    person = patient_in(request.clinic, patient_pk)
    form = AnswerForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, person, form)
    try:
        row = actions.answer_proposal(patient=person, by=request.staff, at=request.at, **form.cleaned_data)
    except Refusal as refusal:
        return _page(request, person, form, refusal)
    messages.success(request, "Answer recorded." if row.booking else "Answer recorded. No booking was changed.")
    return redirect("maintenance:patient", person.pk)


def _page(request: StaffRequest, person: Patient, form: AnswerForm, refusal: Refusal | None = None) -> HttpResponse:
    context = {
        "patient": person,
        "due": queries.next_due(person, request.at),
        "answers": queries.answers_of(person, request.at)[:20],
        "form": form,
        "refusal": refusal,
    }
    return render(request, "maintenance/patient.html", context, status=409 if refusal else 200)
