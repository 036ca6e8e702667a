"""The exception for mistakes that the user can correct."""


class UserError(Exception):
    """A mistake that the user can correct: one line with the problem and its cure.

    The command line prints it without a traceback and exits with a nonzero status.
    """
