"""What somebody types in from paper: the opening of a session, and its entries with their true times."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MinValueValidator

from ketaclinic.people.models import Clinic
from ketaclinic.treatment.actions.paper import LONGEST_REASON

REASON = "downtime"


class LocalMoment(forms.DateTimeField):
    """A day and a time as the clinic's clock showed it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **kwargs)


class FindPatientForm(forms.Form):
    """The record number on the sheet."""

    record_number = forms.CharField(max_length=20, label="Record number on the sheet")


class PaperSessionForm(forms.Form):
    """When and where a session began that ran on paper."""

    happened_at = LocalMoment(label="Opened at")
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
    reason = forms.CharField(max_length=LONGEST_REASON, initial=REASON, label="Why it was kept on paper")
    entry_key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chairs = self.fields["chair"]
        assert isinstance(chairs, forms.TypedChoiceField)
        chairs.choices = [(n, str(n)) for n in range(1, clinic.chairs + 1)]


class PaperEntryForm(forms.Form):
    """When one entry of the sheet happened; its values stand beside it in the form."""

    happened_at = LocalMoment(label="Happened at")
    reason = forms.CharField(max_length=LONGEST_REASON, initial=REASON, label="Why it was kept on paper")
    confirmed = forms.BooleanField(required=False, label="It happened all the same: record it with these lines")
    entry_key = forms.CharField(max_length=60, widget=forms.HiddenInput)
