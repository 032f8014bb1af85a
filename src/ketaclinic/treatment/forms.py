"""Forms that are filled in with a keyboard: opening a session, REMS enrolment, amending an entry."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MinValueValidator

from ketaclinic.people.models import Clinic


class OpenSessionForm(forms.Form):
    """Which chair, and the dose if it is not the plan's."""

    chair = forms.TypedChoiceField(coerce=int)
    dose_mg = forms.DecimalField(
        required=False,
        max_digits=7,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        label="Another dose than planned, mg",
    )
    dose_reason = forms.CharField(required=False, max_length=400, label="Reason for another dose")
    weight_confirmed = forms.BooleanField(required=False, label="I confirm the weight on record")
    entry_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, clinic: Clinic, taken: set[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chairs = self.fields["chair"]
        assert isinstance(chairs, forms.TypedChoiceField)
        chairs.choices = [(n, str(n)) for n in range(1, clinic.chairs + 1) if n not in taken]


class EnrolmentForm(forms.Form):
    """REMS enrolment of one patient."""

    enrolled = forms.TypedChoiceField(
        coerce=lambda value: value == "yes", choices=[("yes", "Enrolled"), ("no", "Not enrolled")], label="REMS"
    )
    enrolled_on = forms.DateField(label="On", widget=forms.DateInput(attrs={"type": "date"}))
    note = forms.CharField(required=False, max_length=200)


class AmendForm(forms.Form):
    """Why an entry was wrong; its new values stand beside it in the form."""

    reason = forms.CharField(max_length=400)
    voided = forms.BooleanField(required=False, label="Take the entry back")
    happened_at = forms.DateTimeField(required=False)
    entry_key = forms.CharField(max_length=64, widget=forms.HiddenInput)
