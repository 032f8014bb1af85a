"""What the prescriber and the front desk fill in."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.urls import reverse

from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Clinic
from ketaclinic.people.seen import Shown, Standing, fields_of
from ketaclinic.planning import queries
from ketaclinic.planning.actions import PlanChoices
from ketaclinic.planning.models import Booking, Plan, PlanEnd
from ketaclinic.record.queries import replaced
from ketacore.planning import PROTOCOLS, Protocol

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
    beside_protocol = forms.ChoiceField(
        label="Compare its expected course with",
        choices=[(p.protocol_id, p.title) for p in PROTOCOLS.values()],
        required=False,
    )
    beside = forms.DecimalField(
        label="Dose to compare with",
        min_value=0,
        max_digits=7,
        decimal_places=3,
        required=False,
        help_text="In the unit of that protocol; empty: its first dose. It is only drawn, not planned.",
    )
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

    def compared_with(self) -> tuple[Protocol, float]:
        """Return the protocol and the dose it is drawn beside; call after ``is_valid``."""
        protocol = PROTOCOLS.get(self.cleaned_data["beside_protocol"], self.protocol)
        dose = self.cleaned_data["beside"]
        return protocol, protocol.first_dose if dose is None else float(dose)

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

    beside_protocol = None  # type: ignore[assignment]  # how Django leaves a field of the parent out
    beside = None  # type: ignore[assignment]
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


# ---- what stands of what these forms change ------------------------------------------------------------------------


def standing_plan(request: StaffRequest, plan_pk: int) -> Standing | None:
    """Return the version of the plan that stands instead of the one being acted on."""
    plan = queries.plan_in(request.clinic, plan_pk)
    name = str(request.resolver_match.view_name) if request.resolver_match else ""
    return replaced(
        plan,
        _plan_shown,
        go_on=lambda newest: reverse(name, args=[newest]),
        leave=reverse("planning:patient", args=[plan.patient_id]),
        settled=lambda row: "The plan has ended." if hasattr(row, "end") else "",
        settler=("end", "why"),
    )


def _plan_shown(plan: Plan) -> tuple[Shown, ...]:
    form = ChangeForm(protocol=PROTOCOLS[plan.protocol_id], initial=choices_of(plan))
    names = [name for name in choices_of(plan) if name in form.fields]
    ended = getattr(plan, "end", None)
    return (*fields_of(form, *names), Shown("why", "Ended", ended.why if ended else "", dict(PlanEnd.Why.choices)))


def standing_booking(request: StaffRequest, booking_pk: int) -> Standing | None:
    """Return where the session is booked now, or what became of it."""
    booking = queries.booking_in(request.clinic, booking_pk)
    name = str(request.resolver_match.view_name) if request.resolver_match else ""
    return replaced(
        booking,
        _booking_shown,
        go_on=lambda newest: reverse(name, args=[newest]),
        leave=reverse("planning:patient", args=[booking.patient_id]),
        settled=lambda row: f"It was {row.change.get_kind_display().lower()}." if hasattr(row, "change") else "",
        settler=("change", "kind"),
    )


def place_of(booking: Booking) -> dict[str, Any]:
    """Return what the form about a booking begins with, in the clinic's own time."""
    local = booking.starts_at.astimezone(booking.clinic.zone)
    return {"day": local.date(), "time": local.time(), "chair": booking.chair}


def _booking_shown(booking: Booking) -> tuple[Shown, ...]:
    changed = getattr(booking, "change", None)
    became = Shown("kind", "What became of it", changed.get_kind_display() if changed else "")
    form = MoveForm(clinic=booking.clinic, initial=place_of(booking))
    return (*fields_of(form, "day", "time", "chair"), became)
