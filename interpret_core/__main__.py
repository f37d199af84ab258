"""The command line: `unitscope` once installed, `python -m interpret_core` anywhere."""

import os
import sys
from pathlib import Path

from interpret_core import installation, threads

COMMAND = "unitscope"


def command() -> int:
    """What the installed command does: the same as `python -m interpret_core`, from any working folder.

    As there, modules of the working folder can be named (`--network my_networks:factory`), also for the jobs
    and workers that it starts. These would run another copy of this package, were there one in that folder.

    Returns:
        The exit status.
    """
    folder = Path.cwd()
    copy = folder / "interpret_core"
    if (copy / "__init__.py").is_file() and not copy.samefile(installation.PACKAGE):
        print(
            f"Error: {folder} holds another copy of Unitscope (interpret_core), whose code jobs and workers "
            f"would run. Start {COMMAND} from another folder, or that copy by python -m interpret_core.",
            file=sys.stderr,
        )
        return 2
    if not sys.flags.safe_path:
        sys.path.insert(0, str(folder))
    return run(COMMAND)


def run(program: str | None = None) -> int:
    """Run what the command line says.

    Args:
        program: what it calls itself in its help.

    Returns:
        The exit status.
    """
    threads.wait_briefly(os.environ)
    try:  # here, so that Ctrl-C in the meantime is no traceback either
        from interpret_core.installation.dashboard import serve_only

        if (status := serve_only(sys.argv[1:], program)) is not None:
            return status
        from interpret_core.cli import main
    except KeyboardInterrupt:
        return 130
    return main(program=program)


if __name__ == "__main__":
    sys.exit(run())
