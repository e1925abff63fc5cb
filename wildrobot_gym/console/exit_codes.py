"""Exit codes of `wildrobot` beside 0 and 128 + signal."""

RUN_FAILED = 1  # done, but not everything passed; the output says what
BAD_INPUT = 2  # one message says what is wrong
NO_PICTURE = 3  # this machine cannot draw the picture that was asked for; all else is done
