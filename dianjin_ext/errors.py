"""The one exception that the command line turns into a message instead of a traceback."""


class DianjinError(Exception):
    """Bad input or a broken installation, told in one line.

    The message names the file, row or key, says what was expected and what to do.
    """
