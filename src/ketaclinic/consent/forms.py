"""The signing form: one tick for each point the patient said back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse

from ketaclinic.consent import queries
from ketaclinic.consent.models import ConsentText
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.seen import Shown, Standing, last_change, patient_of

TEACH_BACK = "said_back_"
RESEARCH = [("yes", "Yes"), ("no", "No"), ("", "Not asked")]


class SigningForm(forms.Form):
    """What is typed and ticked while the patient signs; nothing is ticked beforehand."""

    patient_name = forms.CharField(
        label="The patient's name, typed by the patient",
        max_length=160,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    interpreter = forms.CharField(label="Interpreter", max_length=120, required=False)
    capacity_assessed = forms.BooleanField(label="The patient is able to decide", required=False)
    questions_answered = forms.BooleanField(label="All questions of the patient are answered", required=False)
    copy_given = forms.BooleanField(label="The patient has a copy", required=False)
    registry_research = forms.ChoiceField(
        label="Use of de-identified data for research (separate and optional)",
        choices=RESEARCH,
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, text: ConsentText, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.text = text
        for question in text.questions:
            self.fields[f"{TEACH_BACK}{question['id']}"] = forms.BooleanField(
                label=question["question"], help_text=question["answer"], required=False
            )

    @property
    def teach_back_fields(self) -> list[forms.BoundField]:
        """The questions of the teach-back."""
        return [self[name] for name in self.fields if name.startswith(TEACH_BACK)]

    @property
    def teach_back(self) -> dict[str, bool]:
        """For each question, whether the patient said the point back in own words."""
        return {q["id"]: bool(self.cleaned_data[f"{TEACH_BACK}{q['id']}"]) for q in self.text.questions}

    @property
    def research(self) -> bool | None:
        """The answer about research; ``None`` when it was not asked."""
        return {"yes": True, "no": False}.get(self.cleaned_data["registry_research"])


# ---- what stands of what these forms change ------------------------------------------------------------------------


def standing_for_text(request: StaffRequest, patient_pk: int, text_pk: int) -> Standing:
    """Return what the patient has signed or taken back of the product that a text is about."""
    return standing_consent(request, patient_pk, queries.text_in(request.clinic, text_pk).product)


def standing_consent(request: StaffRequest, patient_pk: int, product: str) -> Standing:
    """Return what the patient has signed or taken back of a product last, and who was there."""
    person = patient_of(request, patient_pk)
    signed = queries.standing_signature(person, product, request.at)
    taken_back = queries.withdrawals_of(person, request.at).filter(product=product).first()
    last = max((row for row in (signed, taken_back) if row is not None), key=lambda row: (row.at, row.pk), default=None)
    shown = (
        Shown("consent", "Consent", "" if last is None else "signed" if last is signed else "taken back"),
        Shown("patient_name", "Signed by", signed.patient_name if signed else ""),
        Shown("said", "Said when it was taken back", taken_back.said if taken_back else ""),
        Shown("number", "Entry no.", str(last.pk) if last else ""),
    )
    leave = f"{reverse('consent:patient', args=[patient_pk])}?product={product}"
    return Standing(shown, *last_change(last), person, leave=leave)
