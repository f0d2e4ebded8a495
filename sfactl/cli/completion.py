"""``sfactl completion``: the completion script of a shell."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def group(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    Example:
      sfactl completion bash > ~/.local/share/bash-completion/completions/sfactl
      sfactl completion zsh > "${fpath[1]}/_sfactl"
      sfactl completion fish > ~/.config/fish/completions/sfactl.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    context = click.get_current_context()
    click.echo(found(context.find_root().command, {}, "sfactl", "_SFACTL_COMPLETE").source())
