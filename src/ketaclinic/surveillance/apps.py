"""This room as a Django application."""

from django.apps import AppConfig


class Surveillance(AppConfig):
    """The room ``surveillance``."""

    name = "ketaclinic.surveillance"
    label = "surveillance"
