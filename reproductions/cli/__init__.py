"""The `reproduce` command, one module a subcommand."""
