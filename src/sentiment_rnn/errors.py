"""The one exception a person is meant to read."""


class UserError(Exception):
    """Something the user can put right: one line that says what is wrong and what cures it.

    `pipeline` prints it without a traceback and exits with a status that is not 0.
    """
