"""toplevel - a newcomer finds the room by its name: the top level holds these and nothing else."""
import re

from lintlib import Finding

NAME = "toplevel"
ALLOWED = re.compile(r"(daemon|adapters|include|schema|tests|Makefile|README(\.zh-CN)?\.md|CONTRIBUTING\.md|SECURITY\.md"
                     r"|CHANGELOG\.md|LICENSE|NOTICE|\..*)$")


def check(tree):
    names = sorted({path.split("/")[0] for path in tree.files})
    return [Finding(name, 1, NAME, "not one of the top-level names") for name in names if not ALLOWED.match(name)]


BAD = {"folder": {"scripts/a.sh": "\n"}, "file": {"notes.md": "\n"}}
GOOD = {"all": {"daemon/a.c": "\n", "README.zh-CN.md": "\n", ".ci/run": "\n"}}
