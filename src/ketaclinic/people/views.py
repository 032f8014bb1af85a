"""Pages about people: register, correct, caregivers, the staff list, the clinic's settings."""

from __future__ import annotations

from copy import copy

from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy

from ketaclinic.people import actions, queries
from ketaclinic.people.forms import (
    CaregiverForm,
    ClinicForm,
    CorrectionForm,
    NewStaffForm,
    RegisterForm,
    StaffForm,
)
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.presenters import correction_lines, details_of, staff_lines
from ketacore.evidence import Refusal


class SignIn(LoginView):
    """Sign in; somebody who is signed in already is sent on."""

    template_name = "people/sign_in.html"
    redirect_authenticated_user = True


class ChangePassword(PasswordChangeView):
    """Change one's own password."""

    template_name = "people/password.html"
    success_url = reverse_lazy("journey:home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Say that it is done."""
        messages.success(self.request, "Your password is changed.")
        return super().form_valid(form)


# ---- patients ------------------------------------------------------------------------------------------------------


@requires(Permission.REGISTER_PATIENT)
def register(request: StaffRequest) -> HttpResponse:
    """Take a person into the clinic."""
    form = RegisterForm(request.POST or None, today=request.clinic.day_of(request.at))
    alike: list[Patient] = []
    if request.method == "POST" and form.is_valid():
        fields = dict(form.cleaned_data)
        sure = fields.pop("another_person")
        alike = queries.look_alikes(request.clinic, fields["family_name"], fields["birth_date"])
        if sure or not alike:
            patient = actions.register_patient(by=request.staff, at=request.at, **fields)
            messages.success(request, f"{patient} is registered as {patient.record_number}.")
            return to_patient(request, patient)
    status = 422 if form.errors else 409 if alike else 200
    return render(request, "people/register.html", {"form": form, "alike": alike}, status=status)


def to_patient(request: StaffRequest, patient: Patient) -> HttpResponse:
    """Go to the page of the patient that this person may see."""
    page = "journey:chart" if request.staff.may(Permission.SEE_CHART) else "people:patient"
    return redirect(page, patient_pk=patient.pk)


@requires(Permission.SEE_PATIENTS)
def patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show who a patient is and how to reach them; nothing clinical."""
    person = queries.patient_in(request.clinic, patient_pk)
    context = {
        "patient": person,
        "details": details_of(person, request.clinic.day_of(request.at)),
        "caregivers": queries.caregivers_of(person),
        "corrections": correction_lines(queries.corrections_of(person)),
    }
    return render(request, "people/patient.html", context)


@requires(Permission.REGISTER_PATIENT)
def correct_patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Correct who a patient is; the old value stays."""
    person = queries.patient_in(request.clinic, patient_pk)
    form = CorrectionForm(request.POST or None, instance=person, today=request.clinic.day_of(request.at))
    if request.method == "POST" and form.is_valid():
        stored = queries.patient_in(request.clinic, patient_pk)
        actions.correct_patient(patient=stored, by=request.staff, at=request.at, **form.cleaned_data)
        messages.success(request, "The correction is saved; the old value is kept.")
        return redirect("people:patient", patient_pk=stored.pk)
    shown = queries.patient_in(request.clinic, patient_pk) if form.errors else person
    return _form_page(request, "people/correct_patient.html", form, patient=shown)


@requires(Permission.CONFIRM_RIDE)
def name_caregiver(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Name someone who looks after the patient."""
    person = queries.patient_in(request.clinic, patient_pk)
    form = CaregiverForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        caregiver = actions.name_caregiver(patient=person, by=request.staff, at=request.at, **form.cleaned_data)
        messages.success(request, f"{caregiver} is named as caregiver.")
        return redirect("people:patient", patient_pk=person.pk)
    return _form_page(request, "people/caregiver.html", form, patient=person)


@requires(Permission.CONFIRM_RIDE)
def correct_caregiver(request: StaffRequest, patient_pk: int, caregiver_pk: int) -> HttpResponse:
    """Change what is known about a caregiver."""
    person = queries.patient_in(request.clinic, patient_pk)
    caregiver = queries.caregiver_in(person, caregiver_pk)
    form = CaregiverForm(request.POST or None, instance=caregiver)
    if request.method == "POST" and form.is_valid():
        stored = queries.caregiver_in(person, caregiver_pk)
        actions.correct_caregiver(caregiver=stored, by=request.staff, at=request.at, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("people:patient", patient_pk=person.pk)
    return _form_page(request, "people/caregiver.html", form, patient=person, caregiver=caregiver)


# ---- the clinic ----------------------------------------------------------------------------------------------------


@requires(Permission.MANAGE_STAFF)
def staff(request: StaffRequest) -> HttpResponse:
    """Show who works here, with role and whether they may sign in."""
    lines = staff_lines(queries.staff_of(request.clinic))
    return render(request, "people/staff.html", {"lines": lines, "clinic": request.clinic})


@requires(Permission.MANAGE_STAFF)
def add_staff(request: StaffRequest) -> HttpResponse:
    """Give a person a sign-in and a place in the clinic."""
    form = NewStaffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        member = actions.add_staff(by=request.staff, at=request.at, **form.cleaned_data)
        messages.success(request, f"{member} can sign in now.")
        return redirect("people:staff")
    return _form_page(request, "people/add_staff.html", form)


@requires(Permission.MANAGE_STAFF)
def change_staff(request: StaffRequest, staff_pk: int) -> HttpResponse:
    """Change a member's name or role, or whether they may sign in."""
    member = queries.member_in(request.clinic, staff_pk)
    begin = {name: getattr(member, name) for name in StaffForm.base_fields}
    turning = request.method == "POST" and "active" in request.POST
    form = StaffForm(request.POST if request.method == "POST" and not turning else None, initial=begin)
    if turning or (request.method == "POST" and form.is_valid()):
        fields = {"is_active": request.POST["active"] == "yes"} if turning else form.cleaned_data
        try:
            actions.change_staff(member=member, by=request.staff, at=request.at, **fields)
        except Refusal as refusal:
            messages.error(request, f"{refusal.refused} was not done: {'; '.join(refusal.because)}. {refusal.do}")
            return redirect("people:change_staff", staff_pk=member.pk)
        messages.success(request, f"{member} is changed.")
        return redirect("people:staff")
    closing = f"Close the sign-in of {member}?"
    return _form_page(request, "people/change_staff.html", form, member=member, close_words=closing)


@requires(Permission.MANAGE_STAFF)
def clinic(request: StaffRequest) -> HttpResponse:
    """Show and change the clinic's settings."""
    form = ClinicForm(request.POST or None, instance=copy(request.clinic))
    if request.method == "POST" and form.is_valid():
        actions.change_clinic(by=request.staff, at=request.at, **form.cleaned_data)
        messages.success(request, "The clinic's settings are saved.")
        return redirect("people:clinic")
    return _form_page(request, "people/clinic.html", form)


def _form_page(request: HttpRequest, template: str, form: object, **context: object) -> HttpResponse:
    """Show a form; with errors the status says that nothing was saved."""
    status = 422 if getattr(form, "errors", None) else 200
    return render(request, template, {"form": form, **context}, status=status)
