"""Import by upload, with its result; export of one patient."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.audit.noted import note_people
from ketaclinic.config.uploads import takes_a_file
from ketaclinic.interfaces.fhir.actions import begin_import, export_patient
from ketaclinic.interfaces.fhir.forms import UploadForm
from ketaclinic.interfaces.fhir.outgoing import bundle_as_bytes
from ketaclinic.interfaces.fhir.presenters import import_page
from ketaclinic.interfaces.fhir.queries import import_in, recent_imports
from ketaclinic.people.answers import made_anew
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.queries import patient_in


@takes_a_file
@requires(Permission.IMPORT_RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def import_record(request: StaffRequest) -> HttpResponse:
    """Ask for a file, take it, and go on to its result."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        started = begin_import(by=request.staff, at=request.at, file_name=file.name or "", data=file.read())
        return redirect("fhir:import_result", started.pk)
    status = 422 if request.method == "POST" else 200
    imports = list(recent_imports(request.clinic))
    note_people(sum(1 for one in imports if one.patient_id is not None))
    return render(request, "fhir/import.html", {"form": form, "imports": imports}, status=status)


@requires(Permission.IMPORT_RECORD, polling=True)
@require_GET
def import_result(request: StaffRequest, pk: int) -> HttpResponse:
    """Show how far an import is, and in the end what was taken and left; alone when asked for by a part of the page."""
    page = import_page(import_in(request.clinic, pk), request.at)
    template = "fhir/import_state.html" if request.headers.get("HX-Request") else "fhir/import_result.html"
    return render(request, template, {"page": page, "import_pk": pk})


@requires(Permission.EXPORT_RECORD, fresh="take this record out")
@require_POST
def export_record(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Send the whole record of one patient as a FHIR R4 bundle."""
    patient = patient_in(request.clinic, patient_pk)
    bundle = export_patient(patient=patient, by=request.staff, at=request.at)
    reply = HttpResponse(bundle_as_bytes(bundle), content_type="application/fhir+json")
    # The name of a file is seen by whoever looks into a folder of downloads: it says nothing of who it is.
    reply["Content-Disposition"] = f'attachment; filename="record-{patient.pk}.fhir.json"'
    return made_anew(reply)


@requires(Permission.EXPORT_RECORD)
@require_GET
def export_page(request: StaffRequest, patient_pk: int) -> HttpResponse:
    """Say what an export holds, and offer it."""
    return render(request, "fhir/export.html", {"patient": patient_in(request.clinic, patient_pk)})
