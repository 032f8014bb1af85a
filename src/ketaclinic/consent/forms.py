"""The signing form: one tick for each point the patient said back."""

from __future__ import annotations

from typing import Any

from django import forms

from ketaclinic.consent.models import ConsentText

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
