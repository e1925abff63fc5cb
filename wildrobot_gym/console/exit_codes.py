"""Exit codes of ``wildrobot`` beside 0 and 128 + signal."""

RUN_FAILED = 1  # not every run of a study could be done; its table says why
BAD_INPUT = 2  # told in one message
NO_PICTURE = 3  # a picture was asked for and this machine cannot draw one; all else is done
