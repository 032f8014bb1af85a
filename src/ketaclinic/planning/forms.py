"""What the prescriber and the front desk fill in."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms

from ketaclinic.people.models import Clinic
from ketaclinic.planning.actions import PlanChoices
from ketaclinic.planning.models import Plan, PlanEnd
from ketacore.planning import Protocol

WEEKDAYS = [(0, "Mon"), (1, "Tue"), (2, "Wed"), (3, "Thu"), (4, "Fri"), (5, "Sat"), (6, "Sun")]
DATE_INPUT = {"type": "date"}


class PlanForm(forms.Form):
    """The prescriber's choices within one protocol."""

    dose = forms.DecimalField(label="Dose", min_value=0, max_digits=7, decimal_places=3)
    starts_on = forms.DateField(label="First day", widget=forms.DateInput(DATE_INPUT, format="%Y-%m-%d"))
    weekdays = forms.TypedMultipleChoiceField(
        label="Days of the week",
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: the protocol's usual spacing from the first day on.",
    )
    interval_weeks = forms.TypedChoiceField(label="Later spacing", coerce=int, empty_value=None, required=False)
    weight_confirmed = forms.BooleanField(label="The weight was confirmed with the patient", required=False)
    reason = forms.CharField(
        label="Reason for a departure from the protocol",
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        help_text="Needed where a dose or a spacing says so.",
    )
    goals = forms.CharField(
        label="What the patient wants to reach", required=False, max_length=1000, widget=forms.Textarea({"rows": 2})
    )

    def __init__(self, *args: Any, protocol: Protocol, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.protocol = protocol
        longest = max(phase.longest_interval_weeks for phase in protocol.phases)
        if longest == 1:
            del self.fields["interval_weeks"]
        else:
            spacing = self.fields["interval_weeks"]
            assert isinstance(spacing, forms.TypedChoiceField)
            spacing.choices = [("", "Least frequent"), *((n, _every(n)) for n in range(1, longest + 1))]
        if protocol.dose_unit == "mg":
            del self.fields["weight_confirmed"]

    def choices(self) -> PlanChoices:
        """Return what was chosen; call after ``is_valid``."""
        data = self.cleaned_data
        return PlanChoices(
            dose=data["dose"],
            starts_on=data["starts_on"],
            weekdays=tuple(sorted(data["weekdays"])),
            interval_weeks=data.get("interval_weeks"),
            weight_confirmed=data.get("weight_confirmed", False),
            reason=data["reason"],
            goals=data["goals"],
        )


def _every(weeks: int) -> str:
    return "Every week" if weeks == 1 else f"Every {weeks} weeks"


def choices_of(plan: Plan) -> dict[str, Any]:
    """Return what a standing plan chose, as the form begins with it."""
    return {
        "dose": plan.dose_mg if plan.dose_mg_per_kg is None else plan.dose_mg_per_kg,
        "starts_on": plan.starts_on,
        "weekdays": plan.customised.get("weekdays", []),
        "interval_weeks": plan.customised.get("interval_weeks"),
        "goals": plan.goals,
    }


class ChangeForm(PlanForm):
    """A changed version of a plan: the same choices, and why."""

    change_reason = forms.CharField(label="Why the plan changes", max_length=1000, widget=forms.Textarea({"rows": 2}))


class EndForm(forms.Form):
    """Why a plan is over."""

    why = forms.ChoiceField(label="Because", choices=PlanEnd.Why.choices)
    reason = forms.CharField(label="In your words", max_length=1000, widget=forms.Textarea({"rows": 2}))


class SeriesForm(forms.Form):
    """How a series is put on the calendar."""

    starts_at = forms.TimeField(label="Usual time", widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    weeks = forms.IntegerField(label="Weeks ahead", min_value=1, max_value=52)
    chair = forms.TypedChoiceField(label="Chair", coerce=int, empty_value=None, required=False)
    closed_weekdays = forms.TypedMultipleChoiceField(
        label="Closed on", choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    closed_on = forms.CharField(
        label="Closed days", required=False, help_text="Dates as 2026-12-25, separated by spaces.", max_length=400
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chair = self.fields["chair"]
        assert isinstance(chair, forms.TypedChoiceField)
        chair.choices = [("", "Any free chair"), *((n, f"Chair {n}") for n in range(1, clinic.chairs + 1))]

    def clean_closed_on(self) -> frozenset[date]:
        """Read the dates; a word that is none is named."""
        days = set()
        for word in self.cleaned_data["closed_on"].replace(",", " ").split():
            try:
                days.add(date.fromisoformat(word))
            except ValueError:
                raise forms.ValidationError(f"{word} is not a date. Write dates as 2026-12-25.") from None
        return frozenset(days)


class MoveForm(forms.Form):
    """Another day, time or chair for one session."""

    day = forms.DateField(label="Day", widget=forms.DateInput(DATE_INPUT, format="%Y-%m-%d"))
    time = forms.TimeField(label="Time", widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    chair = forms.TypedChoiceField(label="Chair", coerce=int)
    reason = forms.CharField(label="Why", max_length=400)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        chair = self.fields["chair"]
        assert isinstance(chair, forms.TypedChoiceField)
        chair.choices = [(n, f"Chair {n}") for n in range(1, clinic.chairs + 1)]

    @property
    def starts_at(self) -> datetime:
        """The chosen moment in the clinic's own time."""
        return datetime.combine(self.cleaned_data["day"], self.cleaned_data["time"], self.clinic.zone)


class OneForm(forms.Form):
    """Day, time and chair of one session that is booked by hand."""

    day = forms.DateField(label="Day", widget=forms.DateInput(DATE_INPUT, format="%Y-%m-%d"))
    time = forms.TimeField(label="Time", widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
    chair = forms.TypedChoiceField(label="Chair", coerce=int, empty_value=None, required=False)
    number = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=999)

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic
        chair = self.fields["chair"]
        assert isinstance(chair, forms.TypedChoiceField)
        chair.choices = [("", "Any free chair"), *((n, f"Chair {n}") for n in range(1, clinic.chairs + 1))]

    @property
    def starts_at(self) -> datetime:
        """The chosen moment in the clinic's own time."""
        return datetime.combine(self.cleaned_data["day"], self.cleaned_data["time"], self.clinic.zone)


class CancelForm(forms.Form):
    """Why a session does not take place."""

    reason = forms.CharField(label="Why", max_length=400)


def suggested_dose(protocol: Protocol) -> Decimal:
    """Return the dose a form begins with: that of the protocol's first session."""
    return Decimal(str(protocol.first_dose))
