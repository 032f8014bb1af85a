"""This room as a Django application."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class People(AppConfig):
    """The room ``people``."""

    name = "ketaclinic.people"
    label = "people"

    def ready(self) -> None:
        """Let the second wall follow connections and migrations: it stands from the first table of a clinic on."""
        from ketaclinic.config.wall import keeping, standing

        connection_created.connect(standing.greet, dispatch_uid="second wall")
        pre_migrate.connect(keeping.step_aside, sender=self, dispatch_uid="second wall")
        post_migrate.connect(keeping.renew, sender=self, dispatch_uid="second wall")
