"""Which submissions are alike beyond what was handed out: a hint for the lecturer, never a mark."""

import io
import itertools
import keyword
import tokenize
from collections import Counter
from collections.abc import Iterable, Mapping

import pandas as pd

#: Tokens in a row that are compared; shorter pieces are alike by chance.
ROW = 8
#: Pieces that more than this share of a class wrote, and at least three students, are how one writes it.
COMMON = 0.25
_SKIP = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


def tokens(source: str) -> list[str]:
    """List what Python sees in a cell, without comments and blanks; a name is a name, however it is called."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                found.append("name")
            elif token.type not in _SKIP and token.string:
                found.append(token.string)
    except (tokenize.TokenError, SyntaxError):  # what cannot be read on; what was read so far counts
        pass
    return found


def pieces(source: str) -> set[tuple[str, ...]]:
    """Give all rows of `ROW` tokens of a cell."""
    found = tokens(source)
    return {tuple(found[n : n + ROW]) for n in range(len(found) - ROW + 1)}


def pairs(students: Mapping[str, Mapping[str, str]], released: Iterable[str], least: float = 0.6) -> pd.DataFrame:
    """Compare the cells (by grade id) of all students, two by two; give the pairs that share much, most alike first.

    ``alike`` is the share of the smaller one's own pieces that the other has too. Pieces of the release, and those that
    much of the class wrote, are nobody's own; who has few of one's own is not compared.
    """
    given = set().union(*map(pieces, released), set())
    written = {name: {cell: pieces(text) - given for cell, text in cells.items()} for name, cells in students.items()}
    often = Counter(piece for cells in written.values() for piece in set().union(*cells.values(), set()))
    most = max(3, COMMON * len(students))
    common = {piece for piece, number in often.items() if number >= most}
    own = {name: {cell: found - common for cell, found in cells.items()} for name, cells in written.items()}
    rows = []
    for one, other in itertools.combinations(sorted(own), 2):
        both = {cell: own[one][cell] & own[other].get(cell, set()) for cell in own[one]}
        size = min(sum(map(len, own[who].values())) for who in (one, other))
        shared = sum(map(len, both.values()))
        if size >= 2 * ROW and shared >= least * size:
            cells = ", ".join(sorted(cell for cell, found in both.items() if found))
            rows.append([one, other, round(shared / size, 2), shared, cells])
    table = pd.DataFrame(rows, columns=["student", "other", "alike", "pieces", "cells"])
    return table.sort_values("alike", ascending=False, kind="stable", ignore_index=True)
