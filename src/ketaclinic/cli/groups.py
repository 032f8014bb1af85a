"""Commands under a command, listed in whole sentences."""

from __future__ import annotations

import click


class Group(click.Group):
    """A group whose help cuts no sentence off in the middle."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with the first sentence of its help."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, c.get_short_help_str(limit=500)) for name, c in commands if c is not None])
