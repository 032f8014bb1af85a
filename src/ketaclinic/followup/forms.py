"""What comes from the pages of follow-up."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.urls import reverse

from ketaclinic.followup import queries
from ketaclinic.followup.models import AlertEvent, ScaleAnswer
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.seen import Shown, Standing, last_change
from ketaclinic.record.queries import replaced
from ketacore.evidence import Refusal
from ketacore.scales import SCALES, Scale


def answers_from(scale: Scale, sent: Mapping[str, str]) -> dict[str, int | None]:
    """Read the tapped answers; an item nobody tapped is ``None``. Raises ``Refusal`` for what is not a number."""
    return {item.key: _value(item.key, sent.get(item.key, "")) for item in (*scale.items, *scale.extras)}


def _value(key: str, sent: str) -> int | None:
    if not sent:
        return None
    if not sent.isdecimal() or len(sent) > 2:
        raise Refusal("Recording answers", [f"{key} is not one of the answers"], "Choose one of the answers.")
    return int(sent)


class CloseAlertForm(forms.Form):
    """What came of an alert."""

    outcome = forms.ChoiceField(choices=AlertEvent.Outcome.choices, widget=forms.RadioSelect, label="What came of it?")
    note = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        label="What was done and agreed",
        max_length=4000,
        help_text="Whom you spoke with, what you found, what happens next.",
    )


class NoteForm(forms.Form):
    """A note while the alert is open."""

    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), label="Note", max_length=4000)


class CorrectionForm(forms.Form):
    """Why a form is corrected."""

    reason = forms.CharField(label="Why do the answers change?", max_length=500)


# ---- what stands of what these forms change ------------------------------------------------------------------------


def standing_form(request: StaffRequest, pk: int) -> Standing | None:
    """Return the form that replaced the one being corrected."""
    row = queries.answer_in(request.clinic, pk)
    return replaced(
        row,
        _items,
        go_on=lambda newest: reverse("followup:correct", args=[newest]),
        leave=reverse("followup:patient", args=[row.patient_id]),
        entry_key=request.POST.get("entry_key", ""),
    )


def _items(row: ScaleAnswer) -> tuple[Shown, ...]:
    scale = SCALES[row.instrument]
    given = ((item, row.answers.get(item.key)) for item in (*scale.items, *scale.extras))
    return tuple(
        Shown(item.key, item.text or f"Item {item.number}", "" if value is None else str(value))
        for item, value in given
    )


def standing_alert(request: StaffRequest, pk: int) -> Standing:
    """Return what was done about an alert last, and by whom."""
    row = queries.alert_in(request.clinic, pk)
    last = queries.steps_of(row).last()
    kinds = {"acknowledge": "taken", "close": "closed", "note": "noted"}
    words = {**kinds, **dict(AlertEvent.Kind.choices)}
    shown = (
        Shown("do", "What was done", last.kind if last else "", words),
        Shown("outcome", "What came of it", last.outcome if last else "", dict(AlertEvent.Outcome.choices)),
        Shown("note", "Note", last.note if last else ""),
        Shown("number", "Step no.", str(last.pk) if last else ""),
    )
    return Standing(shown, *last_change(last), row.patient)
