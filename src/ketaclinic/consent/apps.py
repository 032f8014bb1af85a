"""This room as a Django application."""

from django.apps import AppConfig


class Consent(AppConfig):
    """The room ``consent``."""

    name = "ketaclinic.consent"
    label = "consent"
