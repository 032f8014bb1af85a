"""One's own sign-in: password, second factors, recovery codes, signed-in devices."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ketaclinic.access import entering, factors, presenters, proving, queries
from ketaclinic.access.actions import own, sessions
from ketaclinic.access.forms import ChoosePasswordForm
from ketaclinic.access.views.entering import set_up_factor, set_up_page
from ketaclinic.access.where import where
from ketaclinic.people.permissions import Permission, requires


@requires(Permission.SEE_HOME)
@never_cache
@require_GET
def account(request: Any) -> HttpResponse:
    """Show one's password, second factors and signed-in devices."""
    user = request.presence.user
    devices = queries.presences_of(user, request.at)
    context = {
        "factors": presenters.factor_lines(factors.factors_of(user)),
        "devices": presenters.device_lines(devices, request.presence),
        "username": user.get_username(),
    }
    return render(request, "access/account.html", context)


@requires(Permission.SEE_HOME, fresh="change your password", password_again=True)
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: Any) -> HttpResponse:
    """Change one's own password. The old one is proved before this, like every proof: counted and written down."""
    user = request.presence.user
    form = ChoosePasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["new_password1"]
        own.change_password(user=user, password=chosen, at=request.at, here=request.presence)
        update_session_auth_hash(request, user)
        sessions.moved(presence=request.presence, session_key=request.session.session_key)
        messages.success(request, "Your password is changed. Every other device is signed out.")
        response = redirect("access:account")
        return entering.remembered(request, response, user)
    return render(request, "access/password.html", {"form": form}, status=422 if form.errors else 200)


@requires(Permission.SEE_HOME, fresh="set up a second factor", password_again=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def add_factor(request: Any) -> HttpResponseBase:
    """Set up a second factor, another one perhaps."""
    user = request.presence.user
    wrong = ""
    if request.method == "POST":
        _, wrong = set_up_factor(request, user)
        if not wrong:
            messages.success(request, "The second factor is set up.")
            return redirect("access:recovery_codes" if entering.codes_are_due(request) else "access:account")
    return set_up_page(request, user, "access/add_factor.html", wrong, password_too=True)


@requires(Permission.SEE_HOME, fresh="remove a second factor", password_again=True)
@require_POST
def remove_factor(request: Any, factor_pk: int) -> HttpResponse:
    """Take one of one's own second factors away."""
    user = request.presence.user
    needed = proving.needs_factor(user, where(request))
    own.remove_factor(user=user, pk=factor_pk, needed=needed, at=request.at)
    messages.success(request, "The second factor is taken away.")
    return redirect("access:account")


@requires(Permission.SEE_HOME, fresh="make new recovery codes", password_again=True)
@require_POST
def renew_codes(request: Any) -> HttpResponse:
    """Make new recovery codes."""
    own.renew_codes(user=request.presence.user, at=request.at)
    entering.owe_codes(request)
    return redirect("access:recovery_codes")


@requires(Permission.SEE_HOME)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: Any) -> HttpResponse:
    """Show new recovery codes once, to be printed or written down; POST says that this was done."""
    if request.method == "POST":
        return redirect(entering.safe_next(request, entering.codes_are_kept(request)))
    if not entering.codes_are_due(request):
        return redirect("access:account")
    codes = presenters.code_words(factors.recovery_codes(request.presence.user))
    return render(request, "access/recovery_codes.html", {"codes": codes, "username": request.user.get_username()})


@requires(Permission.SEE_HOME)
@require_POST
def end_device(request: Any, presence_pk: int) -> HttpResponse:
    """Sign one of one's own devices out."""
    user = request.presence.user
    presence = queries.presence_in(user, presence_pk)
    sessions.end_presence(
        presence=presence, by=sessions.by_whom(request.presence), at=request.at, why="by its person, from elsewhere"
    )
    messages.success(request, f"{presence.device} is signed out.")
    return redirect("access:account")


@requires(Permission.SEE_HOME)
@require_POST
def end_other_devices(request: Any) -> HttpResponse:
    """Sign all of one's own devices out but this one."""
    user = request.presence.user
    by = sessions.by_whom(request.presence)
    number = sessions.end_all_presences(
        user=user, by=by, at=request.at, why="by its person, from elsewhere", but=request.presence
    )
    messages.success(request, f"Signed out on {number} other device{'' if number == 1 else 's'}.")
    return redirect("access:account")
