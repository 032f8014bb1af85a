"""This room as a Django application."""

from django.apps import AppConfig


class Aftercare(AppConfig):
    """The room ``aftercare``."""

    name = "ketaclinic.aftercare"
    label = "aftercare"
