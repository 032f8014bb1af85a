"""What staff fill in: a medicine, an allergy, a problem, a pressure, a trial, a changed answer, the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse

from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient, Staff
from ketaclinic.people.seen import Shown, Standing, fields_of, last_change, patient_of
from ketaclinic.record.queries import replaced
from ketaclinic.screening import queries
from ketaclinic.screening.models import (
    PRODUCTS,
    Allergy,
    AntidepressantTrial,
    CandidacyDecision,
    HistoryAnswer,
    Medication,
    Problem,
)
from ketacore.evidence import Finding
from ketacore.screening import QUESTIONS

DAY = {"type": "date"}


def _day(label: str, *, required: bool = False) -> forms.DateField:
    return forms.DateField(label=label, required=required, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"))


class MedicationForm(forms.Form):
    """A medicine that is taken now."""

    display = forms.CharField(label="Medicine, as on the box", max_length=300)
    ingredient = forms.CharField(
        label="Ingredient", max_length=200, required=False, help_text="Where the name on the box does not tell."
    )
    dose_text = forms.CharField(label="Dose", max_length=200, required=False)
    started_on = _day("Since")


class StopMedicationForm(forms.Form):
    """A medicine that is no longer taken."""

    ended_on = _day("Last taken on", required=True)
    reason = forms.CharField(label="Why it was stopped", max_length=300)


class AllergyForm(forms.Form):
    """An allergy."""

    display = forms.CharField(label="Allergic to", max_length=300)
    criticality = forms.ChoiceField(
        label="A reaction would be", choices=[("", "not stated"), *Allergy.Criticality.choices], required=False
    )


class ProblemForm(forms.Form):
    """A condition, now or in the past."""

    display = forms.CharField(label="Condition", max_length=300)
    status = forms.ChoiceField(label="Now", choices=[("active", "active"), ("resolved", "in the past")])
    onset_on = _day("Since")


class RefuteForm(forms.Form):
    """Why a condition or an allergy on record is wrong."""

    reason = forms.CharField(
        label="How do you know?", max_length=300, help_text="The entry is kept and marked as not the case."
    )


class PressureForm(forms.Form):
    """A blood pressure measured just now."""

    systolic = forms.IntegerField(label="Upper number", min_value=30, max_value=350)
    diastolic = forms.IntegerField(label="Lower number", min_value=10, max_value=250)


if TYPE_CHECKING:
    _TrialModelForm = forms.ModelForm[AntidepressantTrial]
else:
    _TrialModelForm = forms.ModelForm


class TrialForm(_TrialModelForm):
    """An antidepressant that was tried. What nobody knows stays blank."""

    current_episode = forms.NullBooleanField(
        label="In the current episode",
        required=False,
        widget=forms.Select(choices=[("", "not known"), ("true", "yes"), ("false", "no, an earlier one")]),
    )
    reason = forms.CharField(label="Why is it corrected?", max_length=300)

    class Meta:
        model = AntidepressantTrial
        fields = (
            "drug",
            "max_daily_dose_mg",
            "started_on",
            "ended_on",
            "ongoing",
            "days_at_dose",
            "outcome",
            "reason_stopped",
            "adherence",
            "current_episode",
            "source",
        )
        labels = {
            "drug": "Drug, with XR, SR or XL if so",
            "max_daily_dose_mg": "Highest daily dose",
            "started_on": "First day",
            "ended_on": "Last day",
            "ongoing": "Still taken",
            "days_at_dose": "Longest time at full dose",
            "outcome": "Effect",
            "reason_stopped": "Why stopped",
            "adherence": "Taken as agreed",
            "source": "Who says so",
        }
        widgets = {
            "started_on": forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
            "ended_on": forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, correcting: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not correcting:
            del self.fields["reason"]


class ChangeAnswerForm(forms.Form):
    """Another answer to a question that was answered before, with the reason."""

    reason = forms.CharField(label="Why does it change?", max_length=300)

    def __init__(self, *args: Any, earlier: HistoryAnswer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        question = QUESTIONS[earlier.question]
        if question.kind == "date":
            self.fields["value"] = _day(question.ask)
        else:
            choices = [*question.choices.items()] or [("yes", "Yes"), ("no", "No")]
            self.fields["value"] = forms.ChoiceField(
                label=question.ask, choices=[*choices, ("not_known", "Not known")], widget=forms.RadioSelect
            )
        self.order_fields(["value", "reason"])
        self.initial.setdefault("value", earlier.value or earlier.answer)

    def answer(self) -> tuple[str, str]:
        """Return answer and value as the action takes them."""
        given = self.cleaned_data["value"]
        if given in (None, "", "not_known"):
            return "not_known", ""
        if given in ("yes", "no"):
            return given, ""
        return "given", given.isoformat() if isinstance(given, date) else given


class _ReasonToTreat(forms.CharField):
    """A reason that only the decision to treat asks for."""

    needed = "needed to treat"


class _SecondSigner(forms.ChoiceField):
    """Who signs beside the prescriber, where the decision is to treat."""

    needed = "needed to treat"


class DecisionForm(forms.Form):
    """Treat, wait or decline, with the reason; and one reason for each stop that is passed."""

    product = forms.ChoiceField(choices=list(PRODUCTS.items()), widget=forms.HiddenInput)
    verdict = forms.ChoiceField(label="Decision", choices=CandidacyDecision.Verdict.choices, widget=forms.RadioSelect)
    reason = forms.CharField(label="Reason", widget=forms.Textarea(attrs={"rows": 3}), max_length=2000)

    def __init__(
        self, *args: Any, passing: tuple[Finding, ...] = (), signers: tuple[Staff, ...] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.passing = passing
        self.signers = {str(s.pk): s for s in signers}
        self.second: Staff | None = None
        for finding in passing:
            self.fields[f"pass_{finding.rule.rule_id}"] = _ReasonToTreat(
                label=f"To treat in spite of: {finding.rule.title}", required=False, max_length=1000
            )
        if any(f.rule.override.second_signoff for f in passing):
            names = [(key, signer.display_name) for key, signer in self.signers.items()]
            self.fields["second_signer"] = _SecondSigner(
                label="Second signature", choices=[("", "nobody yet"), *names], required=False
            )
            self.fields["second_password"] = forms.CharField(
                label="Their password",
                required=False,
                strip=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
                help_text="The second prescriber signs here in person.",
            )

    def clean(self) -> dict[str, Any]:
        """Accept the second signature only with the second person's own password."""
        data = super().clean() or self.cleaned_data
        signer = self.signers.get(data.get("second_signer", ""))
        if signer is not None:
            if signer.user.check_password(data.get("second_password", "")):
                self.second = signer
            else:
                self.add_error("second_password", "This password is not theirs; nothing was signed.")
        return data

    def overrides(self) -> dict[str, str]:
        """Return the reasons given for passing stops, by rule id."""
        return {f.rule.rule_id: self.cleaned_data.get(f"pass_{f.rule.rule_id}", "") for f in self.passing}


# ---- what stands of what these forms change ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shown:
    patient: Patient
    answers: dict[str, HistoryAnswer]
    decisions: Sequence[CandidacyDecision]


def keep_shown(request: HttpRequest, history: queries.History, decisions: Sequence[CandidacyDecision]) -> None:
    """Keep what the page that is being drawn has read: its forms carry just that, and read nothing again."""
    request.screening_shown = _Shown(history.patient, history.answers, decisions)  # type: ignore[attr-defined]


def _shown_of(request: StaffRequest, patient_pk: int) -> _Shown | None:
    shown: _Shown | None = getattr(request, "screening_shown", None)
    return shown if shown is not None and shown.patient.pk == patient_pk else None


def standing_question(request: StaffRequest, patient_pk: int, question: str) -> Standing:
    """Return the answer that a question has, and who gave it."""
    patient = patient_of(request, patient_pk)
    row = _answers_now(request, patient_pk).get(question)
    asked = QUESTIONS.get(question)
    again = row is not None and asked is not None and not asked.changes
    change = reverse("screening:change_answer", args=[patient_pk, row.pk]) if row is not None else ""
    shown = (
        Shown(
            "answer", asked.ask if asked else question, row.answer if row else "", dict(HistoryAnswer.Answer.choices)
        ),
        Shown("value", "Which", row.value if row else ""),
        Shown("number", "Answer no.", str(row.pk) if row else ""),
    )
    return Standing(
        shown,
        *last_change(row),
        patient,
        leave=change if again else reverse("screening:patient", args=[patient_pk]),
        settled="It is answered; an answer is changed with a reason." if again else "",
    )


def _answers_now(request: StaffRequest, patient_pk: int) -> dict[str, HistoryAnswer]:
    shown = _shown_of(request, patient_pk)
    return shown.answers if shown is not None else queries.answers(patient_of(request, patient_pk), request.at)


def _decided(request: StaffRequest, patient_pk: int, product: str) -> CandidacyDecision | None:
    shown = _shown_of(request, patient_pk)
    if shown is None:
        return queries.candidacy(patient_of(request, patient_pk), product, request.at)
    return next((row for row in shown.decisions if row.product == product), None)


def standing_answer(request: StaffRequest, patient_pk: int, pk: int) -> Standing | None:
    """Return the answer that replaced the one being changed."""
    patient = patient_of(request, patient_pk)
    return replaced(
        queries.ever_written(HistoryAnswer, patient, pk),
        lambda row: fields_of(ChangeAnswerForm(earlier=row), "value"),
        go_on=lambda newest: reverse("screening:change_answer", args=[patient_pk, newest]),
        leave=reverse("screening:patient", args=[patient_pk]),
    )


def standing_trial(request: StaffRequest, patient_pk: int, pk: int) -> Standing | None:
    """Return the trial that replaced the one being corrected."""
    patient = patient_of(request, patient_pk)
    return replaced(
        queries.ever_written(AntidepressantTrial, patient, pk),
        lambda row: fields_of(TrialForm(initial=trial_values(row), correcting=True), *TrialForm.Meta.fields),
        go_on=lambda newest: reverse("screening:correct_trial", args=[patient_pk, newest]),
        leave=reverse("screening:patient", args=[patient_pk]),
    )


def trial_values(row: AntidepressantTrial) -> dict[str, Any]:
    """Return what the form about a trial begins with."""
    return {name: getattr(row, name) for name in TrialForm.Meta.fields}


def standing_medicine(request: StaffRequest, patient_pk: int, pk: int) -> Standing | None:
    """Return what became of the medicine that is being stopped."""
    return _settled(request, Medication, patient_pk, pk)


def standing_problem(request: StaffRequest, patient_pk: int, pk: int) -> Standing | None:
    """Return what became of the condition that is being refuted."""
    return _settled(request, Problem, patient_pk, pk)


def standing_allergy(request: StaffRequest, patient_pk: int, pk: int) -> Standing | None:
    """Return what became of the allergy that is being refuted."""
    return _settled(request, Allergy, patient_pk, pk)


def _settled(
    request: StaffRequest, model: type[Medication | Problem | Allergy], patient_pk: int, pk: int
) -> Standing | None:
    patient = patient_of(request, patient_pk)
    row = queries.ever_written(model, patient, pk)

    def shown(row: Medication | Problem | Allergy) -> tuple[Shown, ...]:
        ended = getattr(row, "ended_on", None)
        last = Shown("ended_on", "Last taken on", ended.isoformat() if ended else "")
        state = Shown("status", row.display, row.get_status_display())
        why = Shown("reason", "Why", row.amendment_reason)
        return (state, last, why) if isinstance(row, Medication) else (state, why)

    return replaced(
        row,
        shown,
        go_on=lambda newest: reverse("screening:patient", args=[patient_pk]),
        leave=reverse("screening:patient", args=[patient_pk]),
        settled=lambda newest: "Somebody has settled this entry already." if newest.pk != row.pk else "",
    )


def standing_decision(request: StaffRequest, patient_pk: int, product: str) -> Standing:
    """Return what was decided about a product last, and by whom."""
    patient = patient_of(request, patient_pk)
    row = _decided(request, patient_pk, product)
    shown = (
        Shown("verdict", "Decision", row.verdict if row else "", dict(CandidacyDecision.Verdict.choices)),
        Shown("reason", "Reason", row.reason if row else ""),
        Shown("number", "Decision no.", str(row.pk) if row else ""),
    )
    leave = f"{reverse('screening:patient', args=[patient_pk])}?product={product}"
    return Standing(shown, *last_change(row), patient, leave=leave)
