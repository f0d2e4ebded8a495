"""``python -m sfactl`` is the command ``sfactl``."""

from sfactl.cli.main import run

if __name__ == "__main__":
    run()
