"""`python -m reproductions` is the `reproduce` command."""

from reproductions.cli.main import main

if __name__ == "__main__":
    main()
