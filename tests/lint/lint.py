"""lint - runs the lints and prints file:line: rule: text.

    lint.py [--all] [--build DIR] [NAME ...]    the named lints, else every one; --all: clang-tidy and cppcheck on
                                                the whole tree; DIR holds the built hotlined, default build
    lint.py --selftest                          shows that each lint can fail

Exit code 0 without findings (warnings do not count), 1 with, 2 when the self-test failed.
"""
import argparse
import pathlib
import sys

import banned
import config_table
import fault_map
import law_table
import layering
import layout
import numbers_lint
import selftest
import sizes
import static
import toplevel
import wire_map
import workplace
from lintlib import Tree

LINTS = [layering, banned, numbers_lint, sizes, toplevel, workplace, config_table, fault_map, law_table, layout,
         wire_map, static]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_one(lint, tree):
    """Prints what it finds; gives 'passed', 'failed' or the reason why it was skipped."""
    try:
        found = lint.check(tree)
    except static.NoBase:
        return "no earlier commit to compare with; make lint looks at the whole tree"
    for finding in sorted(found, key=lambda f: (f.is_warning, f.path, f.line)):
        print(finding)
    return "failed" if any(not f.is_warning for f in found) else "passed"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--build", default="build")
    parser.add_argument("--selftest", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.selftest:
        problems = selftest.problems(LINTS)
        print("\n".join(problems) or f"every one of {len(LINTS)} lints can fail and can pass")
        return 2 if problems else 0
    static.ALL = args.all
    tree = Tree(ROOT, args.build)
    results = {lint.NAME: run_one(lint, tree) for lint in LINTS if not args.names or lint.NAME in args.names}
    for name, result in results.items():
        print(f"lint {name}: {result}")
    return 1 if "failed" in results.values() or not results else 0


if __name__ == "__main__":
    sys.exit(main())
