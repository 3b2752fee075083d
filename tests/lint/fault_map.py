"""fault_map - every fault and control of the catalogue has its row in tests/faults/MAP.md: a test that is there, or a reason."""
import re

from lintlib import Finding

NAME = "faults"
MAP = "tests/faults/MAP.md"
NUMBERS = [*map(str, range(1, 91)), *(f"S{n}" for n in range(1, 43))]
ROW = re.compile(r"^\| (S?\d+) \| (.+?) \| (.*) \|$")
TEST = re.compile(r"`([\w/]+\.\w+)(?:::(\w+))?`")
# "open" and "not ours" owe a reason, not a word.
REASON = re.compile(r"\b(?:open|not ours): \S.{15,}")


def broken_reference(tree, path, test):
    """What is wrong with a named test, or None."""
    full = f"tests/{path}"
    if full not in tree.files:
        return f"{full} is not there"
    if test and not re.search(rf"\b{test}\b", tree.read(full)):
        return f"{full} has no {test}"
    return None


def check(tree):
    if MAP not in tree.files:
        return [Finding(MAP, 1, NAME, "is not there")]
    found, seen = [], []
    for number, line in enumerate(tree.read(MAP).splitlines(), 1):
        match = ROW.match(line)
        if not match:
            continue
        seen.append(match.group(1))
        tests = TEST.findall(match.group(3))
        if not tests and not REASON.search(match.group(3)):
            found.append(Finding(MAP, number, NAME, f"{match.group(1)} names no test and gives no reason"))
        found += [Finding(MAP, number, NAME, problem) for problem in (broken_reference(tree, *test) for test in tests) if problem]
    found += [Finding(MAP, 1, NAME, f"{name} stands there {seen.count(name)} times") for name in NUMBERS if seen.count(name) != 1]
    return found + [Finding(MAP, 1, NAME, f"there is no {name}") for name in seen if name not in NUMBERS]


def rows(last):
    """A map whose last row is the given one, all others with a reason."""
    return "".join(f"| {name} | f | open: a reason that is long enough |\n" for name in NUMBERS[:-1]) + last


FILES = {"tests/it/test_a.py": "def test_it():\n    pass\n"}
BAD = {"no map": FILES, "missing": {MAP: rows(""), **FILES}, "twice": {MAP: rows("| S42 | f | `it/test_a.py` |\n" * 2), **FILES},
       "no test": {MAP: rows("| S42 | f | `it/test_a.py::test_that` |\n"), **FILES},
       "no file": {MAP: rows("| S42 | f | `it/test_b.py` |\n"), **FILES},
       "no reason": {MAP: rows("| S42 | f | open: later |\n"), **FILES},
       "unknown": {MAP: rows("| S42 | f | `it/test_a.py` |\n| S43 | f | `it/test_a.py` |\n"), **FILES}}
GOOD = {"all": {MAP: rows("| S42 | f | `it/test_a.py::test_it`, open: what is missing still |\n"), **FILES}}
