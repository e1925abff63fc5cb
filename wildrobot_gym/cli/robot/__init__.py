"""`wildrobot robot ...`: one module a command."""
