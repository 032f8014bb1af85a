"""This room as a Django application."""

from django.apps import AppConfig


class Treatment(AppConfig):
    """The room ``treatment``."""

    name = "ketaclinic.treatment"
    label = "treatment"
