"""This room as a Django application."""

from django.apps import AppConfig


class Audit(AppConfig):
    """The room ``audit``."""

    name = "ketaclinic.audit"
    label = "audit"
