"""What comes from the pages of follow-up."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms

from ketaclinic.followup.models import AlertEvent
from ketacore.evidence import Refusal
from ketacore.scales import Scale


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
