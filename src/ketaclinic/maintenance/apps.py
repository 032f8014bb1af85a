"""This room as a Django application."""

from django.apps import AppConfig


class Maintenance(AppConfig):
    """The room ``maintenance``."""

    name = "ketaclinic.maintenance"
    label = "maintenance"
