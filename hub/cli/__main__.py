"""`python -m hub.cli` is `outpost`."""

from hub.cli.main import main

if __name__ == "__main__":
    main(prog_name="outpost")
