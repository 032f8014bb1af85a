"""The page that explains how ketamine works, for everybody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ketaclinic.people.permissions import public
from ketaclinic.pkpd.forms import ExploreForm
from ketaclinic.pkpd.presenters.how import shown
from ketacore.pkpd import Route


@require_safe
@public
def how(request: HttpRequest) -> HttpResponse:
    """Show what models expect of a dose that the reader chooses; nothing about anybody."""
    form = ExploreForm(request.GET.dict())
    if not form.is_valid():
        return render(request, "pkpd/how.html", {"form": form}, status=422)
    asked, way = form.cleaned_data, form.chosen
    lasting = f" over {asked['lasting_min']} min" if way.route is Route.IV else ""
    given = f"{way.label}, {asked['dose_mg']:g} mg{lasting}"
    context = {"form": form, "shown": shown(form.regimen(), given, asked["look_min"])}
    return render(request, "pkpd/how.html", context)
