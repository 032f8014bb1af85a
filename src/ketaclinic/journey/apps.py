"""This room as a Django application."""

from django.apps import AppConfig


class Journey(AppConfig):
    """The room ``journey``."""

    name = "ketaclinic.journey"
    label = "journey"
