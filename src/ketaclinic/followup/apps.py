"""This room as a Django application."""

from django.apps import AppConfig


class Followup(AppConfig):
    """The room ``followup``."""

    name = "ketaclinic.followup"
    label = "followup"
