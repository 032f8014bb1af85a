"""The aftercare sheet as a page and as PDF, handing it over, and the contacts due."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.aftercare import actions, queries
from ketaclinic.aftercare.forms import ContactForm
from ketaclinic.audit.noted import note_people
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.treatment.actions import new_key
from ketaclinic.treatment.queries import session_in
from ketacore.evidence import Refusal


@require_GET
@requires(Permission.GIVE_AFTERCARE)
def page(request: StaffRequest, session_pk: int) -> HttpResponse:
    """Show the sheet on screen, ready to print."""
    session = session_in(request.clinic, session_pk)
    context = {
        "session": session,
        "patient": session.patient,
        "sheet": actions.prepare_sheet(session, request.at),
        "given": queries.instructions_of(session),
        "entry_key": new_key(),
    }
    return render(request, "aftercare/page.html", context)


@require_GET
@requires(Permission.GIVE_AFTERCARE)
def sheet(request: StaffRequest, session_pk: int) -> HttpResponse:
    """Send the sheet as PDF."""
    session = session_in(request.clinic, session_pk)
    pdf = actions.print_sheet(actions.prepare_sheet(session, request.at))
    reply = HttpResponse(pdf, content_type="application/pdf")
    reply["Content-Disposition"] = f'inline; filename="aftercare-{session.pk}.pdf"'
    return reply


@require_POST
@requires(Permission.GIVE_AFTERCARE)
def give(request: StaffRequest, session_pk: int) -> HttpResponseBase:
    """Record that the sheet was handed over."""
    session = session_in(request.clinic, session_pk)
    actions.give_instructions(
        session=session,
        by=request.staff,
        at=request.at,
        to_escort=request.POST.get("to_escort") == "on",
        entry_key=request.POST.get("entry_key", "")[:60],
    )
    messages.success(request, "Recorded: the aftercare sheet was given.")
    return redirect("treatment:session", session_pk=session.pk)


@require_GET
@requires(Permission.GIVE_AFTERCARE)
def contacts(request: StaffRequest) -> HttpResponse:
    """Show whom to contact today."""
    due = queries.contacts_due(request.clinic, request.at)
    note_people(len(due))
    return render(request, "aftercare/contacts.html", {"due": due})


@require_http_methods(["GET", "POST"])
@requires(Permission.GIVE_AFTERCARE)
def contact(request: StaffRequest, session_pk: int) -> HttpResponseBase:
    """Record a contact after a session."""
    session = session_in(request.clinic, session_pk)
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.record_contact(session=session, by=request.staff, at=request.at, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, f"{'; '.join(refusal.because)}. {refusal.do}")
        else:
            messages.success(request, f"Contact with {session.patient} recorded.")
            return redirect("aftercare:contacts")
    context = {"session": session, "patient": session.patient, "form": form, "earlier": queries.contacts_of(session)}
    return render(request, "aftercare/contact.html", context)
