"""This room as a Django application."""

from django.apps import AppConfig


class Planning(AppConfig):
    """The room ``planning``."""

    name = "ketaclinic.planning"
    label = "planning"
