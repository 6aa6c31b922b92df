"""The command: ``python -m hogwild``, and the script ``hogwild``."""

import signal
import sys


def main() -> int:
    """Runs the command with the words of the command line."""
    from . import _hogwild

    # The command has handlers of its own; until they are there, Ctrl-C ends the process at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _hogwild.command(["hogwild", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
