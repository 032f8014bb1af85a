"""``ketaclinic``: the commands, each loaded when it is called.

Bad input ends in one clear line on standard error and an exit code, never in a traceback; nothing personal is
printed by an error nobody foresaw.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "serve": "Run the clinic's server.",
    "demo": "Build the demo clinic.",
    "import": "Bring in a record from another system.",
    "export": "Take a whole record out.",
    "audit": "Check the log of who did what, and report from it.",
    "database": "Prepare a PostgreSQL database for the server.",
    "backup": "Write an encrypted backup.",
    "restore": "Bring a clinic back from a backup.",
    "downtime": "Write the printable sheets for when the server is gone.",
    "staff": "Invite people, help the last administrator in.",
    "pk": "Ask published models for expected concentrations.",
    "check": "Look whether everything is in order.",
    "completion": "Print the completion script of a shell.",
}

EXIT_CODES = """\b
Exit codes:
  0  done
  1  refused, or a check failed; nothing was half done
  2  the command was written wrongly
  3  something outside failed: database, port, disk
  70 an error in Ketaclinic itself
  130 interrupted by Ctrl-C"""
DONE, REFUSED, USAGE, OUTSIDE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 70, 130


class Commands(click.Group):
    """Commands that are imported only when one of them is called or asked for help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command; its module is imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"ketaclinic.cli.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ketaclinic")
def cli() -> None:
    """Run a Ketaclinic server and move records in and out of it.

    Settings come from the environment: KETACLINIC_DATA (folder of the data, default "var"), DATABASE_URL,
    KETACLINIC_OWNER_URL, KETACLINIC_WORKERS, KETACLINIC_HOSTS, KETACLINIC_HTTPS.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ketaclinic.config.settings")


def main(arguments: list[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        result: Any = cli.main(args=arguments, prog_name="ketaclinic", standalone_mode=False)
    except click.exceptions.Abort:
        return _say("stopped", INTERRUPTED)
    except KeyboardInterrupt:
        return _say("stopped", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        return DONE
    except Exception as error:  # noqa: BLE001  the last resort: one line, and nothing personal in it
        return _unforeseen(error)
    return result if isinstance(result, int) else DONE


def _unforeseen(error: Exception) -> int:
    name = type(error).__name__
    if os.environ.get("KETACLINIC_TRACEBACK") == "1":
        raise error
    if isinstance(error, OSError):
        place = f" ({error.filename})" if isinstance(error.filename, str) else ""
        return _say(f"the system refused: {error.strerror or name}{place}", OUTSIDE)
    if type(error).__module__.startswith(("django.db", "sqlite3", "psycopg")):
        return _say(f"the database cannot be used ({name}); run: ketaclinic check", OUTSIDE)
    if name == "ImproperlyConfigured":
        return _say(f"a setting is wrong: {error}", OUTSIDE)
    return _say(f"an error in Ketaclinic itself ({name}); set KETACLINIC_TRACEBACK=1 to see where", INTERNAL)


def _say(message: str, code: int) -> int:
    click.echo(f"ketaclinic: {message}", err=True)
    return code


if __name__ == "__main__":
    main()
