"""What comes from the page of screens."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.seen import Shown, Standing, fields_of
from ketaclinic.record.queries import replaced
from ketaclinic.surveillance import queries
from ketaclinic.surveillance.models import ScreenResult
from ketacore.surveillance import SCREENS


class ScreenForm(forms.Form):
    """One screen that was done. The result is never filled in beforehand."""

    kind = forms.ChoiceField(choices=[("", "Choose")] + [(s.kind, s.title) for s in SCREENS], label="Screen")
    result = forms.ChoiceField(choices=ScreenResult.Result.choices, widget=forms.RadioSelect, label="What it showed")
    value = forms.CharField(label="Value", max_length=80, required=False, help_text="For example 124/78, or a score.")
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), label="Note", max_length=2000, required=False)
    done_on = forms.DateField(
        label="Done on",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        required=False,
        help_text="Leave it empty for today.",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_done_on(self) -> date | None:
        """Refuse a day that has not come."""
        done_on: date | None = self.cleaned_data["done_on"]
        if done_on is not None and done_on > self.today:
            raise ValidationError("This day lies in the future.")
        return done_on

    def clean(self) -> dict[str, Any]:
        """A finding needs its words."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("result") == ScreenResult.Result.FINDING and not cleaned.get("note", "").strip():
            self.add_error("note", "Write what was found.")
        return cleaned


class CorrectionForm(ScreenForm):
    """The same, with the reason."""

    reason = forms.CharField(label="Why does the result change?", max_length=500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["kind"]


# ---- what stands of what these forms change ------------------------------------------------------------------------


def values_of(row: ScreenResult) -> dict[str, Any]:
    """Return what the form about a result begins with."""
    return {"result": row.result, "value": row.value, "note": row.note, "done_on": row.clinic.day_of(row.at)}


def standing_result(request: StaffRequest, pk: int) -> Standing | None:
    """Return the result that replaced the one being corrected."""
    row = queries.result_in(request.clinic, pk)
    return replaced(
        row,
        _shown,
        go_on=lambda newest: reverse("surveillance:correct", args=[newest]),
        leave=reverse("surveillance:patient", args=[row.patient_id]),
        entry_key=request.POST.get("entry_key", ""),
    )


def _shown(row: ScreenResult) -> tuple[Shown, ...]:
    form = CorrectionForm(today=row.clinic.day_of(row.at), initial=values_of(row))
    return fields_of(form, "result", "value", "note", "done_on")
