"""What staff fill in: a medicine, an allergy, a problem, a pressure, a trial, a changed answer, the decision."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms

from ketaclinic.people.models import Staff
from ketaclinic.screening.models import PRODUCTS, Allergy, AntidepressantTrial, CandidacyDecision, HistoryAnswer
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
            self.fields[f"pass_{finding.rule.rule_id}"] = forms.CharField(
                label=f"To treat in spite of: {finding.rule.title}", required=False, max_length=1000
            )
        if any(f.rule.override.second_signoff for f in passing):
            names = [(key, signer.display_name) for key, signer in self.signers.items()]
            self.fields["second_signer"] = forms.ChoiceField(
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
