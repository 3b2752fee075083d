"""lintlib - what every lint shares: the files of the tree, C without comments, findings.

A lint is a module of this folder with
    NAME             its word in the output
    check(tree)      -> list of Finding
    BAD, GOOD        trees {path: text}; selftest.py wants findings of the first and none of the second
"""
import dataclasses
import os
import pathlib
import re
import subprocess

SKIPPED_FOLDERS = {".git", "build", "var", "__pycache__", ".pytest_cache"}


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str
    is_warning: bool = False

    def __str__(self):
        level = "warning: " if self.is_warning else ""
        return f"{self.path}:{self.line}: {level}{self.rule}: {self.text}"


class Tree:
    """The files of a folder: what git tracks or would track, or all files where there is no git."""

    def __init__(self, root, build="build"):
        self.root = pathlib.Path(root).resolve()
        self.build = self.root / build
        self.files = sorted(f for f in self._list() if (self.root / f).is_file())

    def _list(self):
        # safe.directory: the tree may belong to the user while root runs the checks.
        git = ["git", "-c", f"safe.directory={self.root}", "ls-files", "-z", "-co", "--exclude-standard"]
        if (self.root / ".git").exists():
            try:
                done = subprocess.run(git, cwd=self.root, capture_output=True, check=True)
                return os.fsdecode(done.stdout).split("\0")[:-1]
            except (OSError, subprocess.CalledProcessError):
                pass
        return self._walk()

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if f not in SKIPPED_FOLDERS]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def read(self, path):
        """Text of a file; None for one that is not text."""
        raw = (self.root / path).read_bytes()
        if b"\0" in raw:
            return None
        return raw.decode("utf-8", errors="replace")

    def ending(self, *ends):
        return [f for f in self.files if f.endswith(ends)]


C_TOKEN = re.compile(
    r"//(?:\\\n|[^\n])*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def blank_c(text, keep_strings=False):
    """C text with comments and the insides of strings blanked; lines and columns stay where they were."""
    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token if keep_strings else token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)
    return C_TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def is_under(path, *folders):
    return any(path.startswith(f) for f in folders)
