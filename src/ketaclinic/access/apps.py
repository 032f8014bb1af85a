"""This room as a Django application."""

from django.apps import AppConfig


class Access(AppConfig):
    """The room ``access``."""

    name = "ketaclinic.access"
    label = "access"
