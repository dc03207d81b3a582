"""The one exception for mistakes that a user can mend."""


class InputError(ValueError):
    """Bad input, told in one sentence that names the file, row or record and the remedy.

    The command line prints the sentence and exits with status 2; no stack trace is shown.
    """
