"""Plain data entry about people and the clinic."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError

from ketaclinic.config.wall.standing import opened
from ketaclinic.people import queries
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Caregiver, Clinic, EmergencyReview, Patient, Staff, User
from ketaclinic.people.permissions import Role
from ketaclinic.people.seen import Shown, Standing, fields_of, last_change

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
    """A new member of staff; their password and second factor they choose themselves."""

    username = forms.CharField(
        max_length=150,
        label="User name",
        validators=[User.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    email = forms.EmailField(
        required=False, label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"}), max_length=254
    )

    field_order = ["display_name", "role", "is_medical_director", "username", "email"]

    def clean_username(self) -> str:
        """Refuse a user name that is taken."""
        username: str = self.cleaned_data["username"]
        with opened(User):  # also by somebody of another clinic
            taken = User.objects.filter(username__iexact=username).exists()
        if taken:
            raise ValidationError("This user name is taken.")
        return username


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


class FindForm(forms.Form):
    """The patient whose chart is needed, by the number on their papers."""

    record_number = forms.CharField(
        max_length=20,
        label="Record number",
        help_text="In full, as on the wristband or the papers: K-20417.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class EmergencyForm(forms.Form):
    """Why a chart has to be seen now."""

    reason = forms.CharField(
        max_length=1000,
        label="What is happening, and what do you need to know?",
        help_text="At least 20 letters. The manager and the medical director read it today.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReviewForm(forms.Form):
    """What somebody else makes of it."""

    outcome = forms.ChoiceField(
        choices=EmergencyReview.Outcome.choices, widget=forms.RadioSelect, label="Was it right to open the chart?"
    )
    note = forms.CharField(
        max_length=1000,
        label="What you found, and what follows",
        help_text="At least 20 letters. It stands beside the access for good.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


# ---- what stands of what these forms change ------------------------------------------------------------------------


def standing_patient(request: StaffRequest, patient_pk: int) -> Standing:
    """Return who the patient is on record, and who corrected that last."""
    person = queries.patient_in(request.clinic, patient_pk)
    last = queries.corrections_of(person).filter(caregiver__isnull=True).first()
    form = CorrectionForm(instance=person, today=request.clinic.day_of(request.at))
    shown = fields_of(form, *CorrectionForm.Meta.fields)
    return Standing(shown, *last_change(last), person)


def standing_caregiver(request: StaffRequest, patient_pk: int, caregiver_pk: int) -> Standing:
    """Return what is known about a caregiver, and who changed that last."""
    person = queries.patient_in(request.clinic, patient_pk)
    caregiver = queries.caregiver_in(person, caregiver_pk)
    last = queries.corrections_of(person).filter(caregiver=caregiver).first()
    return Standing(fields_of(CaregiverForm(instance=caregiver)), *last_change(last), person)


def standing_member(request: StaffRequest, staff_pk: int) -> Standing:
    """Return a member's place in the clinic, and who changed it last."""
    member = queries.member_in(request.clinic, staff_pk)
    shown = fields_of(StaffForm(initial=place_of(member)))
    words = {"yes": "may sign in", "no": "may not sign in"}
    sign_in = Shown("active", "Sign-in", "yes" if member.is_active else "no", words)
    return Standing((*shown, sign_in), member.changed_by, member.changed_at)


def place_of(member: Staff) -> dict[str, Any]:
    """Return what the form about a member begins with."""
    return {name: getattr(member, name) for name in StaffForm.base_fields}


def standing_clinic(request: StaffRequest) -> Standing:
    """Return the clinic's settings, and who changed them last."""
    clinic = queries.clinic_now(request.clinic.pk)
    return Standing(fields_of(ClinicForm(instance=clinic)), clinic.changed_by, clinic.changed_at)
