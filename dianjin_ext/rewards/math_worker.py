"""A process that compares answers in mathematics until it is stopped: `python -m …`.

Reads a JSON line `[gold, answer]` and writes one, `[verdict, pred]`: true, false, or null where the
gold answer or the answer can't be read as mathematics. math-verify
(https://github.com/huggingface/Math-Verify) does the work. Only its reader of LaTeX is used, which
has a grammar; that of plain expressions would run them through sympy's `eval`.
"""

import json
import resource
import sys
from itertools import islice
from typing import Any, Final

_MEMORY: Final = 4 << 30  # bytes: a power tower would take the machine's
_MOST_PARTS: Final = 40  # of an expression that is expanded
_MOST_TIMES: Final = 5  # a power in it


def main() -> None:
    """Answer lines until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    import logging

    import sympy
    from math_verify import LatexExtractionConfig, parse, verify

    logging.disable()  # what can't be read is an answer like any other
    reader = [LatexExtractionConfig(try_extract_without_anchor=True)]

    def same(expected: list[Any], said: list[Any]) -> bool:
        return bool(verify(expected, said, timeout_seconds=None))

    def canonical(value: Any) -> Any:
        """Return the same value for 0.5 and 1/2, for x = 5 and 5, for (x + 1)^2 and its terms."""
        if isinstance(value, sympy.Eq) and isinstance(value.lhs, sympy.Symbol):
            value = value.rhs
        if isinstance(value, sympy.Expr) and value.is_number:
            value = sympy.nsimplify(value, rational=True)
        if isinstance(value, sympy.Expr) and is_small(value):
            value = sympy.expand(value.doit())
            value = sympy.radsimp(value) if value.is_number else value
        return value

    def is_small(value: Any) -> bool:
        """Whether an expression is expanded in no time: no tower of powers, no integral."""
        parts = list(islice(sympy.preorder_traversal(value), _MOST_PARTS + 1))
        powers = [part.exp for part in parts if isinstance(part, sympy.Pow)]
        known = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Symbol, sympy.Number, sympy.NumberSymbol)
        return (
            len(parts) <= _MOST_PARTS
            and all(isinstance(part, known) for part in parts)
            and all(power.is_Rational and abs(power) <= _MOST_TIMES for power in powers)
        )

    def read(text: str) -> list[Any]:
        found: list[Any] = parse(f"${text}$", reader, parsing_timeout=None)
        return found

    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        gold, answer = json.loads(line)
        try:
            expected, said = read(gold), read(answer)
            if not expected or not said:
                told: list[Any] = [None, "" if not said else str(said[0])]
            else:
                right = same(expected, said)
                value = canonical(said[0])
                # No right answer has the text of a wrong one.
                kept = value if same(expected, [value]) == right else said[0]
                told = [right, str(kept)]
        except (Exception, RecursionError, MemoryError):
            told = [None, ""]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
