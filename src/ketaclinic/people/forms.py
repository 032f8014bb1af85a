"""Plain data entry about people and the clinic."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from ketaclinic.people.models import Caregiver, Clinic, Patient, User
from ketaclinic.people.permissions import Role

if TYPE_CHECKING:
    _OfPatient = forms.ModelForm[Patient]
    _OfCaregiver = forms.ModelForm[Caregiver]
    _OfClinic = forms.ModelForm[Clinic]
else:
    _OfPatient = _OfCaregiver = _OfClinic = forms.ModelForm

LANGUAGES = [("en", "English"), ("es", "Spanish")]
EARLIEST_BIRTH = date(1900, 1, 1)


def day_input() -> forms.DateInput:
    """Return the browser's own day picker, filled in the way it reads days."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PatientForm(_OfPatient):
    """Who a patient is and how to reach them."""

    language = forms.ChoiceField(choices=LANGUAGES, label="Language for patient papers")

    class Meta:
        model = Patient
        fields: ClassVar = ["given_name", "family_name", "birth_date", "sex", "phone", "email", "language"]
        labels: ClassVar = {
            "given_name": "Given name",
            "family_name": "Family name",
            "birth_date": "Date of birth",
            "sex": "Sex in the record",
            "phone": "Telephone",
            "email": "E-mail",
        }
        widgets: ClassVar = {
            "birth_date": day_input(),
            "given_name": forms.TextInput(attrs={"autocomplete": "off"}),
            "family_name": forms.TextInput(attrs={"autocomplete": "off"}),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
            "email": forms.EmailInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        self.today = today
        super().__init__(*args, **kwargs)

    def clean_birth_date(self) -> date:
        """Refuse days on which nobody in care can have been born."""
        born: date = self.cleaned_data["birth_date"]
        if born > self.today:
            raise ValidationError("This day is in the future.")
        if born < EARLIEST_BIRTH:
            raise ValidationError(f"Expected a day from {EARLIEST_BIRTH.year} on.")
        return born


class RegisterForm(PatientForm):
    """A new patient; a look-alike in the clinic has to be ruled out by the person at the keyboard."""

    another_person = forms.BooleanField(required=False, label="I checked: this is another person")


class CorrectionForm(PatientForm):
    """Corrections of who a patient is, with the reason."""

    deceased_on = forms.DateField(required=False, widget=day_input(), label="Date of death")
    reason = forms.CharField(
        max_length=300,
        label="Why is the entry changed?",
        help_text="Kept with the old value, your name and the time.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    class Meta(PatientForm.Meta):
        fields: ClassVar = [*PatientForm.Meta.fields, "deceased_on"]

    def clean(self) -> dict[str, Any]:
        """Check the day of death against the day of birth and today."""
        cleaned = super().clean() or {}
        died, born = cleaned.get("deceased_on"), cleaned.get("birth_date")
        if died and died > self.today:
            self.add_error("deceased_on", "This day is in the future.")
        if died and born and died < born:
            self.add_error("deceased_on", "This day lies before the day of birth.")
        return cleaned


class CaregiverForm(_OfCaregiver):
    """Someone who looks after the patient."""

    class Meta:
        model = Caregiver
        fields: ClassVar = ["name", "relationship", "phone", "may_escort"]
        labels: ClassVar = {
            "relationship": "Relationship",
            "phone": "Telephone",
            "may_escort": "May take the patient home after a session",
        }
        widgets: ClassVar = {"phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "off"})}


class StaffForm(forms.Form):
    """Name and place of a member of staff."""

    display_name = forms.CharField(max_length=120, label="Name as others see it")
    role = forms.ChoiceField(choices=Role.choices)
    is_medical_director = forms.BooleanField(required=False, label="Medical director: signs the clinic's policies")

    def clean(self) -> dict[str, Any]:
        """Keep the directorship with prescribers."""
        cleaned = super().clean() or {}
        if cleaned.get("is_medical_director") and cleaned.get("role") != Role.PRESCRIBER:
            self.add_error("is_medical_director", "Only a prescriber can be the medical director.")
        return cleaned


class NewStaffForm(StaffForm):
    """A new member of staff, with the sign-in they begin with."""

    username = forms.CharField(
        max_length=150,
        label="User name",
        validators=[User.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label="First password",
        help_text="At least 8 characters. Hand it over in person; the menu at the top lets them change it.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    field_order = ["display_name", "role", "is_medical_director", "username", "password"]

    def clean_username(self) -> str:
        """Refuse a user name that is taken."""
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise ValidationError("This user name is taken.")
        return username

    def clean_password(self) -> str:
        """Hold the password to the rules for all passwords."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


class ClinicForm(_OfClinic):
    """The clinic's settings."""

    class Meta:
        model = Clinic
        fields: ClassVar = [
            "name",
            "address",
            "phone",
            "emergency_contact",
            "time_zone",
            "jurisdiction",
            "chairs",
            "rems_certified_on",
            "rems_certified_until",
        ]
        labels: ClassVar = {
            "phone": "Telephone",
            "emergency_contact": "Emergency contact",
            "time_zone": "Time zone",
            "chairs": "Treatment chairs",
            "rems_certified_on": "REMS certification, from",
            "rems_certified_until": "REMS certification, until",
        }
        help_texts: ClassVar = {
            "jurisdiction": "Country, or country and state: US, US-PA. It chooses the rules that hold here.",
            "rems_certified_on": "Empty means: not certified, or not recorded. Nasal sessions ask for it.",
        }
        widgets: ClassVar = {"rems_certified_on": day_input(), "rems_certified_until": day_input()}

    def clean_time_zone(self) -> str:
        """Refuse a time zone that the server does not know."""
        zone: str = self.cleaned_data["time_zone"]
        if zone not in available_timezones():
            raise ValidationError("Not a known time zone; for example America/New_York.")
        return zone

    def clean(self) -> dict[str, Any]:
        """Check the order of the certification's days."""
        cleaned = super().clean() or {}
        start, end = cleaned.get("rems_certified_on"), cleaned.get("rems_certified_until")
        if end and not start:
            self.add_error("rems_certified_on", "Say from when it holds.")
        if start and end and end < start:
            self.add_error("rems_certified_until", "This day lies before the first day.")
        return cleaned
