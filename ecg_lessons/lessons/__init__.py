"""One module per lesson: the only place where the pieces meet."""
