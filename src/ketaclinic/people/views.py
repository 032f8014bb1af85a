"""Pages about people: register, correct, caregivers, who has access, emergencies, the clinic's settings."""

from __future__ import annotations

from copy import copy

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from ketaclinic.audit.noted import note_people
from ketaclinic.people import actions, queries
from ketaclinic.people.drawn import check_same_patient
from ketaclinic.people.forms import (
    CaregiverForm,
    ClinicForm,
    CorrectionForm,
    EmergencyForm,
    FindForm,
    RegisterForm,
    ReviewForm,
    standing_caregiver,
    standing_clinic,
    standing_patient,
)
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import Patient
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.presenters import access_lines, correction_lines, details_of, emergency_line
from ketaclinic.people.seen import edits
from ketacore.evidence import Refusal

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


@require_safe
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
@edits(standing_patient)
def correct_patient(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Correct who a patient is; the old value stays."""
    person = queries.patient_in(request.clinic, patient_pk)
    form = CorrectionForm(request.POST or None, instance=person, today=request.clinic.day_of(request.at))
    if request.method == "POST" and form.is_valid():
        stored = queries.patient_in(request.clinic, patient_pk)
        actions.correct_patient(patient=stored, by=request.staff, at=request.at, **form.cleaned_data)
        messages.success(request, f"{stored} is corrected; the old value is kept.")
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
@edits(standing_caregiver)
def correct_caregiver(request: StaffRequest, patient_pk: int, caregiver_pk: int) -> HttpResponse:
    """Change what is known about a caregiver."""
    person = queries.patient_in(request.clinic, patient_pk)
    caregiver = queries.caregiver_in(person, caregiver_pk)
    form = CaregiverForm(request.POST or None, instance=caregiver)
    if request.method == "POST" and form.is_valid():
        stored = queries.caregiver_in(person, caregiver_pk)
        actions.correct_caregiver(caregiver=stored, by=request.staff, at=request.at, **form.cleaned_data)
        messages.success(request, f"{stored}, who looks after {person}, is changed.")
        return redirect("people:patient", patient_pk=person.pk)
    return _form_page(request, "people/caregiver.html", form, patient=person, caregiver=caregiver)


# ---- access of patients and caregivers ----------------------------------------------------------------------------


@require_safe
@requires(Permission.GIVE_OWN_ACCESS)
def access(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Show who can see this patient's care with a sign-in of their own."""
    person = queries.patient_in(request.clinic, patient_pk)
    lines = access_lines(person, queries.caregivers_of(person), queries.accesses_of(person))
    return render(request, "people/access.html", {"patient": person, "lines": lines})


@require_POST
@requires(Permission.GIVE_OWN_ACCESS)
def give_access(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Give the patient, or the caregiver named in the form, a sign-in."""
    person = queries.patient_in(request.clinic, patient_pk)
    key = request.POST.get("caregiver", "")
    caregiver = queries.caregiver_in(person, int(key)) if key.isdecimal() and len(key) < 19 else None
    given = actions.give_access(patient=person, caregiver=caregiver, by=request.staff, at=request.at)
    messages.success(request, f"{given} has access. Make a link and hand it over.")
    return redirect("people:access", patient_pk=person.pk)


# ---- emergencies ---------------------------------------------------------------------------------------------------


@require_safe
@requires(Permission.SEE_EMERGENCIES)
def emergencies(request: StaffRequest) -> HttpResponse:
    """Show which charts were opened in an emergency, and find the patient whose chart is needed now."""
    return _emergencies(request, FindForm())


def _emergencies(request: StaffRequest, form: FindForm) -> HttpResponse:
    rows = list(queries.emergencies_for(request.staff)[:100])
    note_people(len(rows))
    lines = [emergency_line(row, request.at) for row in rows]
    reviews = queries.reviews_emergencies(request.staff)
    return _form_page(request, "people/emergencies.html", form, lines=lines, reviews=reviews)


@require_POST
@requires(Permission.OPEN_EMERGENCY)
def find_patient(request: StaffRequest) -> HttpResponse:
    """Go on to the patient with this record number."""
    form = FindForm(request.POST)
    found = queries.patient_numbered(request.clinic, form.cleaned_data["record_number"]) if form.is_valid() else None
    if found is None:
        if form.is_valid():
            form.add_error("record_number", "No patient of this clinic has this number.")
        return _emergencies(request, form)
    return redirect("people:open_emergency", patient_pk=found.pk)


@requires(Permission.OPEN_EMERGENCY)
def open_emergency(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Ask for the reason, and open the chart of one patient for reading."""
    person = queries.patient_in(request.clinic, patient_pk)
    form = EmergencyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            actions.open_emergency(patient=person, by=request.staff, at=request.at, reason=reason)
        except Refusal as refusal:
            form.add_error("reason", f"{'; '.join(refusal.because)}. {refusal.do}")
        else:
            return redirect("journey:chart", patient_pk=person.pk)
    return _form_page(request, "people/open_emergency.html", form, patient=person)


@require_POST
@requires(Permission.SEE_EMERGENCIES)
def close_emergency(request: StaffRequest, emergency_pk: int) -> HttpResponse:
    """Close an emergency access now: whoever opened it has read enough, or should not read on."""
    row = queries.emergency_in(request.clinic, emergency_pk)
    check_same_patient(request, row.patient_id)  # one that is over writes nothing which could tell
    actions.close_emergency(access=row, by=request.staff, at=request.at)
    messages.success(request, f"The chart of {row.patient} is closed again.")
    return redirect("people:emergencies")


@requires(Permission.REVIEW_EMERGENCY)
def emergency(request: StaffRequest, emergency_pk: int) -> HttpResponse:
    """Show one emergency access, and take what the manager or the medical director makes of it."""
    row = queries.emergency_in(request.clinic, emergency_pk)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.review_emergency(access=row, by=request.staff, at=request.at, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, f"{'; '.join(refusal.because)}. {refusal.do}")
        else:
            messages.success(request, "Reviewed.")
            return redirect("people:emergencies")
    mine = queries.reviews_emergencies(request.staff) and row.by_id != request.staff.pk
    return _form_page(request, "people/emergency.html", form, line=emergency_line(row, request.at), may_review=mine)


# ---- the clinic ----------------------------------------------------------------------------------------------------


@requires(Permission.MANAGE_STAFF, fresh="change the clinic's settings")
@edits(standing_clinic)
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
