"""The command line. `main` finds the command; each command is one module."""
