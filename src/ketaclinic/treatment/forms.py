"""Forms that are filled in with a keyboard: opening a session, REMS enrolment, amending an entry."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MinValueValidator
from django.urls import reverse

from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Clinic
from ketaclinic.people.seen import Shown, Standing, fields_of, last_change, patient_of
from ketaclinic.record.queries import replaced
from ketaclinic.treatment import presenters, queries
from ketaclinic.treatment.models import SessionEvent


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


# ---- what stands of what these forms change ------------------------------------------------------------------------


def standing_enrolment(request: StaffRequest, patient_pk: int) -> Standing:
    """Return the newest word on the patient's REMS enrolment, and whose it is."""
    patient = patient_of(request, patient_pk)
    row = queries.enrolment_of(patient, request.at)
    initial = (
        {"enrolled": "yes" if row.enrolled else "no", "enrolled_on": row.enrolled_on, "note": row.note} if row else {}
    )
    leave = reverse("treatment:open", args=[patient_pk])
    number = Shown("number", "Entry no.", str(row.pk) if row else "")
    shown = (*fields_of(EnrolmentForm(initial=initial), "enrolled", "enrolled_on", "note"), number)
    return Standing(shown, *last_change(row), patient, leave=leave)


def standing_entry(request: StaffRequest, session_pk: int, event_pk: int) -> Standing | None:
    """Return the entry that replaced the one being amended."""
    session = queries.session_in(request.clinic, session_pk)
    return replaced(
        queries.ever_recorded(session, event_pk),
        _entry_shown,
        go_on=lambda newest: reverse("treatment:amend", args=[session_pk, newest]),
        leave=reverse("treatment:session", args=[session_pk]),
        settled=lambda row: "Somebody has taken this entry back already." if row.voided else "",
        entry_key=request.POST.get("entry_key", ""),
    )


def _entry_shown(row: SessionEvent) -> tuple[Shown, ...]:
    fields = presenters.amendable(row).fields
    at = row.at.astimezone(row.session.clinic.zone)
    values = (
        Shown(f.name, f.label, _sent(f.value), {"on": "yes", "off": "no", **dict(f.options)}, f.type == "checkbox")
        for f in fields
    )
    state = Shown("voided", "Taken back", "on" if row.voided else "", check=True)
    return (Shown("happened_at", "Time", f"{at:%H:%M}"), *values, state)


def _sent(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)
