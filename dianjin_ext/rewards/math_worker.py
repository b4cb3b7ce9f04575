"""A process that compares answers in mathematics until it is stopped: `python -m …`.

Reads a JSON line `[gold, answer]` and writes one, `[verdict, pred]`: true, false, or null where the
gold answer or the answer can't be read as mathematics. math-verify
(https://github.com/huggingface/Math-Verify) does the work. Only its reader of LaTeX is used, which
has a grammar; that of plain expressions would run them through sympy's `eval`.
"""

import json
import resource
import sys
from typing import Any, Final

_MEMORY: Final = 4 << 30  # bytes: a power tower would take the machine's


def main() -> None:
    """Answer lines until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    import logging

    import sympy
    from math_verify import LatexExtractionConfig, parse, verify

    logging.disable()  # what can't be read is an answer like any other
    reader = [LatexExtractionConfig(try_extract_without_anchor=True)]

    def canonical(value: Any) -> str:
        """Return the same text for 0.5 and 1/2, and for x = 5 and 5."""
        if isinstance(value, sympy.Eq) and isinstance(value.lhs, sympy.Symbol):
            value = value.rhs
        if isinstance(value, sympy.Expr) and value.is_number:
            value = sympy.nsimplify(value, rational=True)
        return str(value)

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
                right = bool(verify(expected, said, timeout_seconds=None))
                told = [right, canonical(said[0])]
        except (Exception, RecursionError, MemoryError):
            told = [None, ""]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
