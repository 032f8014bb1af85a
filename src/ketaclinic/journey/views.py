"""Home page of each role."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ketaclinic.people.permissions import Permission, requires


@requires(Permission.SEE_HOME)
def home(request: HttpRequest) -> HttpResponse:
    """Show the first page of the person's role."""
    return render(request, "journey/home.html")
