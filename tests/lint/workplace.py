"""workplace - nothing in the tree names the place where somebody works on it: paths and tools that nobody else has."""
import re

from lintlib import Finding, line_of

NAME = "workplace"
# In pieces, so that this file passes its own check.
PATTERN = re.compile(r"(?:^|[^0-9A-Za-z])/(?:" + "wo" + "rk)/|/(?:" + "fa" + "rm)/|" + "before" + "-stop|"
                     + "fa" + "rm-(?:bench|studio)|/(?:root|home)/[a-z]", re.MULTILINE)


def check(tree):
    found = []
    for path in tree.files:
        text = tree.read(path) or ""
        if path != ".gitignore":
            found += [Finding(path, line_of(text, m.end()), NAME, f"names a place of its author: {m.group(0).strip()}")
                      for m in PATTERN.finditer(text)]
    return found


BAD = {"path": {"a.md": "see /" + "work/main\n"}, "tool": {"a.sh": "\n" + "before" + "-stop\n"},
       "home": {"a.c": "\"/" + "root/x\"\n"}}
GOOD = {"other": {"a.md": "framework/main, network/x, ../shared\n"}}
