"""``ketaclinic completion SHELL``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(name="completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(ketaclinic completion bash)"
    zsh:   eval "$(ketaclinic completion zsh)"
    fish:  ketaclinic completion fish | source
    """
    from ketaclinic.cli.main import cli

    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(cli, {}, "ketaclinic", "_KETACLINIC_COMPLETE").source())
