"""The staff list: places, invitations, devices; for administrators."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.access import factors, presenters, queries
from ketaclinic.access.actions import places, sessions
from ketaclinic.people import queries as people
from ketaclinic.people.actions import change_staff as change_place
from ketaclinic.people.answers import said_once
from ketaclinic.people.forms import NewStaffForm, StaffForm, place_of, standing_member
from ketaclinic.people.middleware import StaffRequest
from ketaclinic.people.models import PersonalAccess, Staff
from ketaclinic.people.permissions import Permission, requires
from ketaclinic.people.seen import edits
from ketacore.evidence import Refusal


@requires(Permission.MANAGE_STAFF)
@require_GET
def staff(request: StaffRequest) -> HttpResponse:
    """Show who works here, with role and whether they may sign in."""
    members = list(people.staff_of(request.clinic))
    lines = presenters.staff_lines(members, queries.waiting_for(members, request.at))
    return render(request, "access/staff.html", {"lines": lines, "clinic": request.clinic})


@requires(Permission.MANAGE_STAFF, fresh="invite a person")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_staff(request: StaffRequest) -> HttpResponse:
    """Make a place for a person, and show the link to hand over, once."""
    form = NewStaffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        member, token = places.invite_member(by=request.staff, at=request.at, **form.cleaned_data)
        return _link_page(request, member, token)
    return render(request, "access/add_staff.html", {"form": form}, status=422 if form.errors else 200)


def _link_page(request: StaffRequest, member: Staff | PersonalAccess, token: str, back: str = "") -> HttpResponse:
    """Show the one-time link in this reply only: it stands in no database and no other page."""
    context = {
        "member": member,
        "link": request.build_absolute_uri(reverse("access:use_link", args=[token])),
        "invitation": queries.open_invitation_of(member.user, request.at),
        "back": back or reverse("access:staff"),
    }
    return said_once(render(request, "access/link.html", context))


@requires(Permission.MANAGE_STAFF, fresh="change a person's place")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@edits(standing_member)
def change_staff(request: StaffRequest, staff_pk: int) -> HttpResponse:
    """Change a member's name or role, close or open their place, make a new link."""
    member = people.member_in(request.clinic, staff_pk)
    if request.method == "POST" and (deed := _DEEDS.get(request.POST.get("do", ""))):
        try:
            return deed(request, member)
        except Refusal as refusal:
            _tell(request, refusal)
            return redirect("access:change_staff", staff_pk=member.pk)
    form = StaffForm(request.POST or None, initial=place_of(member))
    if request.method == "POST" and form.is_valid():
        try:
            change_place(member=member, by=request.staff, at=request.at, **form.cleaned_data)
        except Refusal as refusal:
            _tell(request, refusal)
            return redirect("access:change_staff", staff_pk=member.pk)
        messages.success(request, f"{member} is changed.")
        return redirect("access:staff")
    return _member_page(request, member, form)


def _member_page(request: StaffRequest, member: Staff, form: StaffForm) -> HttpResponse:
    devices = queries.presences_of(member.user, request.at)
    context = {
        "form": form,
        "member": member,
        "itself": member.pk == request.staff.pk,
        "invitation": queries.open_invitation_of(member.user, request.at),
        "factors": presenters.factor_lines(factors.factors_of(member.user)),
        "devices": presenters.device_lines(devices, None),
        "close_words": f"Close the place of {member}?",
        "recover_words": f"Make a new link for {member}?",
    }
    return render(request, "access/change_staff.html", context, status=422 if form.errors else 200)


def _tell(request: StaffRequest, refusal: Refusal) -> None:
    messages.error(request, f"{refusal.refused} was not done: {'; '.join(refusal.because)}. {refusal.do}")


def _close(request: StaffRequest, member: Staff) -> HttpResponse:
    places.close_place(member=member, by=request.staff, at=request.at)
    messages.success(request, f"The place of {member} is closed, and every device is signed out.")
    return redirect("journey:duties", staff_pk=member.pk)


def _open_again(request: StaffRequest, member: Staff) -> HttpResponse:
    return _link_page(request, member, places.open_place_again(member=member, by=request.staff, at=request.at))


def _recover(request: StaffRequest, member: Staff) -> HttpResponse:
    return _link_page(request, member, places.recover_member(member=member, by=request.staff, at=request.at))


_DEEDS: dict[str, Callable[[StaffRequest, Staff], HttpResponse]] = {
    "close": _close,
    "open": _open_again,
    "recover": _recover,
}


@requires(Permission.MANAGE_STAFF)
@require_POST
def end_member_sessions(request: StaffRequest, staff_pk: int) -> HttpResponse:
    """Sign one device of a member out, or all of them: a tablet was lost. No confirmation: haste is safe here."""
    member = people.member_in(request.clinic, staff_pk)
    number = request.POST.get("presence", "")
    if number.isascii() and number.isdigit():
        presence = queries.presence_in(member.user, int(number))
        sessions.end_presence(presence=presence, by=request.staff, at=request.at, why="by an administrator")
    else:
        sessions.end_all_presences(user=member.user, by=request.staff, at=request.at, why="by an administrator")
    messages.success(request, f"{member} is signed out there.")
    return redirect("access:change_staff", staff_pk=member.pk)


@requires(Permission.GIVE_OWN_ACCESS, fresh="make a link for a patient or caregiver")
@require_POST
def invite_to_care(request: StaffRequest, patient_pk: int, access_pk: int) -> HttpResponse:
    """Make a link for a patient or caregiver, and show it once."""
    patient = people.patient_in(request.clinic, patient_pk)
    access = people.access_in(patient, access_pk)
    token = places.invite_to_care(access=access, by=request.staff, at=request.at)
    return _link_page(request, access, token, reverse("people:access", args=[patient.pk]))


@requires(Permission.GIVE_OWN_ACCESS)
@require_POST
def withdraw_from_care(request: StaffRequest, patient_pk: int, access_pk: int) -> HttpResponse:
    """Close the sign-in of the patient or a caregiver."""
    patient = people.patient_in(request.clinic, patient_pk)
    access = people.access_in(patient, access_pk)
    places.withdraw_from_care(access=access, by=request.staff, at=request.at)
    messages.success(request, f"{access} has no access any more. What they wrote stays.")
    return redirect("people:access", patient_pk=patient.pk)
