"""This room as a Django application."""

from django.apps import AppConfig


class Design(AppConfig):
    """The room ``design``."""

    name = "ketaclinic.design"
    label = "design"
