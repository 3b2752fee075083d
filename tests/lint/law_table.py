"""law_table - README's tables and pictures of the law are what the program prints.

    python3 tests/lint/law_table.py [BUILD]    puts what BUILD/hotlinectl prints (default build) into README.md
"""
import pathlib
import re
import subprocess
import sys

from lintlib import Finding, Tree, line_of

NAME = "law"
README = "README.md"
MARKED = re.compile(r"<!-- law (--\w+) (case|task) -->\n(.*?)<!-- /law -->", re.DOTALL)


def printed(tree, form, scope):
    return subprocess.run([tree.build / "hotlinectl", "law", form, scope], capture_output=True, text=True, check=True,
                          timeout=20).stdout


def check(tree):
    text = tree.read(README)
    parts = list(MARKED.finditer(text))
    if not parts:
        return [Finding(README, 1, NAME, "the markers <!-- law --FORM SCOPE --> and <!-- /law --> are missing")]
    found = []
    for part in parts:
        form, scope, ours = part.groups()
        try:
            theirs = printed(tree, form, scope)
        except (OSError, subprocess.SubprocessError) as problem:
            return [Finding(README, 1, NAME, f"hotlinectl law cannot be run: {problem}")]
        if ours.strip() != theirs.strip():
            found.append(Finding(README, line_of(text, part.start()), NAME,
                                 f"differs from hotlinectl law {form} {scope}; run make law-table"))
    return found


def write(tree):
    path = tree.root / README
    text = path.read_text(encoding="utf-8")
    text, n = MARKED.subn(lambda part: f"<!-- law {part.group(1)} {part.group(2)} -->\n"
                          f"{printed(tree, part.group(1), part.group(2)).strip()}\n<!-- /law -->", text)
    if n == 0:
        raise SystemExit(f"{README}: no markers <!-- law --FORM SCOPE -->")
    path.write_text(text, encoding="utf-8")


def sample(inside):
    return {"build/hotlinectl": "#!/bin/sh\necho \"$2 of $3\"\n",
            README: f"# x\n<!-- law --table case -->\n{inside}\n<!-- /law -->\n"}


BAD = {"another table": sample("--table of task"), "no program": {README: sample("")[README]},
       "no markers": {**sample(""), README: "x\n"}}
GOOD = {"same": sample("--table of case")}

if __name__ == "__main__":
    write(Tree(pathlib.Path(__file__).resolve().parents[2], *sys.argv[1:2]))
