"""config_table - README's table of settings is what the program prints.

    python3 tests/lint/config_table.py [BUILD]    puts the table of BUILD/hotlined (default build) into README.md
"""
import pathlib
import re
import subprocess
import sys

from lintlib import Finding, Tree, line_of

NAME = "config"
README = "README.md"
MARKED = re.compile(r"<!-- config -->\n(.*?)<!-- /config -->", re.DOTALL)


def printed(tree):
    return subprocess.run([tree.build / "hotlined", "--config-table"], capture_output=True, text=True, check=True,
                          timeout=20).stdout


def check(tree):
    try:
        table = printed(tree)
    except (OSError, subprocess.SubprocessError) as problem:
        return [Finding(README, 1, NAME, f"hotlined --config-table cannot be run: {problem}")]
    text = tree.read(README)
    match = MARKED.search(text)
    if not match:
        return [Finding(README, 1, NAME, "the markers <!-- config --> and <!-- /config --> are missing")]
    ours, theirs = match.group(1).strip().splitlines(), table.strip().splitlines()
    if ours == theirs:
        return []
    same = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return [Finding(README, line_of(text, match.start(1)) + same, NAME,
                    "the table differs from hotlined --config-table; run make config-table")]


def write(tree):
    path = tree.root / README
    table = printed(tree).strip()
    text, n = MARKED.subn(lambda _: f"<!-- config -->\n{table}\n<!-- /config -->", path.read_text(encoding="utf-8"))
    if n != 1:
        raise SystemExit(f"{README}: expected the markers once, found {n}")
    path.write_text(text, encoding="utf-8")


def sample(readme_row):
    return {"build/hotlined": "#!/bin/sh\necho '| key |'\necho '| listen |'\n",
            README: f"# x\n<!-- config -->\n| key |\n{readme_row}\n<!-- /config -->\n"}


BAD = {"other row": sample("| liston |"), "no program": {README: "x\n"},
       "no markers": {**sample(""), README: "x\n"}}
GOOD = {"same": sample("| listen |")}

if __name__ == "__main__":
    write(Tree(pathlib.Path(__file__).resolve().parents[2], *sys.argv[1:2]))
