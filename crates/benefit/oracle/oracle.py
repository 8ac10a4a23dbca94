"""The oracle: yibao's benefit rules a second time, slow and plain, with exact fractions.

It is written from `docs/guide/write-a-plan.md` alone, never from the engine, so that both can be
wrong only together with the guide. Python 3.11, standard library, nothing else.

    python3 oracle.py cases FOLDER ...   run every example and case file below the folders
    python3 oracle.py serve              answer JSON lines (see `serve.py`) on standard input

Reading order: exact.py, words.py, reading.py, condition.py, allowance.py, step.py, plan.py (files);
adjudicate.py, operators.py, stay.py, sorting.py (rules); cases.py, serve.py (what is asked).
"""

import sys

sys.dont_write_bytecode = True

from cases import run_folder  # noqa: E402
from serve import serve  # noqa: E402


def main(arguments):
    if arguments == ["serve"]:
        serve(sys.stdin, sys.stdout)
        return 0
    if len(arguments) < 2 or arguments[0] != "cases":
        print(__doc__, file=sys.stderr)
        return 2
    failures = 0
    for folder in arguments[1:]:
        count, wrong = run_folder(folder)
        for line in wrong:
            print(line)
        failures += len(wrong)
        print(f"{folder}: {count} plans, catalogues, examples and cases, {len(wrong)} wrong")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
