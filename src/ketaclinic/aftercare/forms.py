"""The contact after a session."""

from __future__ import annotations

from django import forms

from ketaclinic.aftercare.models import NextDayContact


class ContactForm(forms.Form):
    """Reached or not, and how the patient is."""

    outcome = forms.ChoiceField(choices=NextDayContact.Outcome.choices)
    wellbeing = forms.ChoiceField(choices=NextDayContact.Wellbeing.choices)
    note = forms.CharField(required=False, max_length=1_000, widget=forms.Textarea(attrs={"rows": 3}))
