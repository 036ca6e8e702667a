"""Run the commands that messages name as cures, as they are printed."""

import re
from pathlib import Path

from project import succeed


def commands(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def run_cure(message: str, template: str, folder: Path, **environment: str) -> str:
    """Run the command of a message in a project's folder, in a shell, and require that it succeeds.

    Args:
        message: the error as it was printed.
        template: the command as the source has it, with `{}` for what a message inserts: `test_cures.py` checks that
            every command of the source and of docs/troubleshooting.md is the template of a call.
        folder: where a person types it.
        environment: more variables of that person's shell.

    Returns:
        The command's output.
    """
    pattern = ".+".join(map(re.escape, template.split("{}")))
    (command,) = [each for each in commands(message) if re.fullmatch(pattern, each)]
    return succeed(folder, "bash", "-c", command, **environment)
