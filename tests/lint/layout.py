"""layout - how far the C files are from .clang-format. A count, not an error: a formatting commit never mixes with logic."""
import collections
import re
import subprocess

from lintlib import Finding

NAME = "layout"
WARNING = re.compile(r"^(.*?):(\d+):\d+: (?:warning|error): code should be clang-formatted", re.MULTILINE)


def check(tree):
    files = tree.ending(".c", ".h")
    if not files:
        return []
    done = subprocess.run(["clang-format", "--dry-run", *files], cwd=tree.root, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        return [Finding(".clang-format", 1, NAME, done.stderr.strip()[:300])]
    places = collections.defaultdict(list)
    for match in WARNING.finditer(done.stderr):
        places[match.group(1)].append(int(match.group(2)))
    return [Finding(path, min(lines), NAME, f"{len(lines)} places differ from .clang-format", is_warning=True)
            for path, lines in sorted(places.items())]


BAD = {"crooked": {".clang-format": "BasedOnStyle: LLVM\n", "daemon/a.c": "int  f( void ){return 1 ;}\n"}}
GOOD = {"straight": {".clang-format": "BasedOnStyle: LLVM\n", "daemon/a.c": "int f(void);\n"}}
