"""This room as a Django application."""

from django.apps import AppConfig


class Continuity(AppConfig):
    """The room ``continuity``."""

    name = "ketaclinic.continuity"
    label = "continuity"
