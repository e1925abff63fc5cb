"""Exit codes of `wildrobot` beside 0 and 128 + signal."""

RUN_FAILED = 1
"""Done, but not everything passed. The output says what did not."""
BAD_INPUT = 2
"""Bad input. One message says what is wrong."""
NO_PICTURE = 3
"""This machine cannot draw the picture that was asked for. All else is done."""
