"""What the prescriber is asked about the next session, and what stood there when the form was drawn."""

from __future__ import annotations

from django import forms
from django.urls import reverse

from ketaclinic.maintenance import queries
from ketaclinic.maintenance.models import BenefitEvaluation, NextSessionAnswer
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.seen import Shown, Standing, fields_of, last_change, patient_of


class AnswerForm(forms.Form):
    """The prescriber's answer; nothing is chosen beforehand."""

    answer = forms.ChoiceField(choices=NextSessionAnswer.Answer.choices, widget=forms.RadioSelect, label="Your answer")
    next_on = forms.DateField(
        label="Day of the next session", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    reason = forms.CharField(label="Reason", max_length=500, required=False)


class BenefitForm(forms.Form):
    """The prescriber's judgement; nothing is chosen beforehand."""

    benefit = forms.ChoiceField(
        choices=BenefitEvaluation.Benefit.choices, widget=forms.RadioSelect, label="Does the treatment help?"
    )
    reason = forms.CharField(label="What this rests on", max_length=1000, widget=forms.Textarea({"rows": 2}))


def standing_answer(request: StaffRequest, patient_pk: int) -> Standing:
    """Return what was answered last to a proposal, and by whom."""
    person = patient_of(request, patient_pk)
    row = queries.answers_of(person, request.at).first()
    initial = {name: getattr(row, name) for name in ("answer", "next_on", "reason")} if row else {}
    shown = (*fields_of(AnswerForm(initial=initial)), Shown("number", "Answer no.", str(row.pk) if row else ""))
    return _standing(row, shown, person)


def standing_benefit(request: StaffRequest, patient_pk: int) -> Standing:
    """Return how the benefit was judged last, and by whom."""
    person = patient_of(request, patient_pk)
    row = queries.evaluations_of(person, request.at).first()
    initial = {name: getattr(row, name) for name in ("benefit", "reason")} if row else {}
    form = BenefitForm(prefix="benefit", initial=initial)
    return _standing(row, (*fields_of(form), Shown("number", "Judgement no.", str(row.pk) if row else "")), person)


def _standing(row: NextSessionAnswer | BenefitEvaluation | None, shown: tuple[Shown, ...], person: Patient) -> Standing:
    leave = reverse("maintenance:patient", args=[person.pk])
    return Standing(shown, *last_change(row), person, leave=leave)
