"""selftest - a lint that cannot fail checks nothing: each one must refuse its bad trees and pass its good ones."""
import pathlib
import tempfile

import static
from lintlib import Tree


def make_tree(folder, files):
    for name, text in files.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return Tree(folder)


def findings(lint, files):
    with tempfile.TemporaryDirectory(prefix="hl-lint-") as folder:
        return lint.check(make_tree(folder, files))


def problems(lints):
    static.ALL = True
    found = []
    for lint in lints:
        for name, files in lint.BAD.items():
            if not findings(lint, files):
                found.append(f"{lint.NAME}: finds nothing in the bad tree '{name}'")
        for name, files in lint.GOOD.items():
            found += [f"{lint.NAME}: good tree '{name}': {f}" for f in findings(lint, files)
                      if not f.is_warning]
    return found
