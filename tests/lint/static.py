"""static - clang-tidy and cppcheck, on the changed C files or (ALL) on every one.

Changed: against the merge base with origin/main, or the commit before when we are on it, plus what is not committed.
"""
import concurrent.futures
import glob
import os
import re
import shlex
import subprocess

from lintlib import Finding

NAME = "static"
ALL = False
# HL_CRASH_POINTS: tests/faults/crash.c is built with it.
INCLUDES = ["-std=gnu11", "-D_GNU_SOURCE", "-DHL_CRASH_POINTS", "-Iinclude", "-Idaemon", "-Itests/lib"]
TIDY = re.compile(r"^(.*?):(\d+):\d+: (?:warning|error): (.*)$", re.MULTILINE)
CPPCHECK = ["cppcheck", "--enable=warning,performance,portability", "--inline-suppr", "--std=c11", "--quiet",
            "--suppress=missingIncludeSystem", "--suppress=checkersReport", "--template={file}:{line}:{id}: {message}",
            "-D__GNUC__=12", "-Iinclude", "-Idaemon", "-Itests/lib"]
# cppcheck reads no system headers, but the loops that are macros it must know.
CPPCHECK += [f"--include={p}" for name in ("*-linux-gnu/sys/queue.h", "jansson.h")
             for p in glob.glob(f"/usr/include/{name}")]
# A rule that is wrong about this code base stands here with its reason, nowhere else.
CPPCHECK += ["--suppress=preprocessorErrorDirective",  # __VA_OPT__ is C23 to its parser
             # It takes the result of any call through a pointer for a part of the arguments; gcc sees the real ones.
             "--suppress=returnDanglingLifetime"]


class NoBase(Exception):
    """There is no earlier commit to compare with."""


def git(tree, *args):
    done = subprocess.run(["git", "-c", f"safe.directory={tree.root}", *args], cwd=tree.root, capture_output=True,
                          text=True, check=False)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def changed_files(tree):
    head = git(tree, "rev-parse", "HEAD")
    base = git(tree, "merge-base", "HEAD", "origin/main")
    if not base or base == head:
        base = git(tree, "rev-parse", "--verify", "-q", "HEAD~1")
    if not base:
        raise NoBase
    changed = set(git(tree, "diff", "--name-only", base[0])) | set(git(tree, "ls-files", "-o", "--exclude-standard"))
    return [f for f in tree.ending(".c") if f in changed]


def package_flags():
    done = subprocess.run(["pkg-config", "--cflags", "libevent", "libcurl", "jansson", "libpq", "inih", "libutf8proc", "pangocairo"],
                          capture_output=True, text=True, check=False)
    return shlex.split(done.stdout)


def tidy_file(tree, path, flags):
    done = subprocess.run(["clang-tidy", "--quiet", path, "--", *INCLUDES, *flags], cwd=tree.root,
                          capture_output=True, text=True, check=False)
    found = [Finding(os.path.relpath(m.group(1), tree.root) if os.path.isabs(m.group(1)) else m.group(1),
                     int(m.group(2)), "clang-tidy", m.group(3)) for m in TIDY.finditer(done.stdout)]
    if done.returncode != 0 and not found:
        found.append(Finding(path, 1, "clang-tidy", done.stderr.strip()[-300:] or "failed"))
    return found


def check_cppcheck(tree, files):
    done = subprocess.run([*CPPCHECK, "-j", str(os.cpu_count() or 1), *files], cwd=tree.root, capture_output=True,
                          text=True, check=False)
    found = []
    for row in done.stderr.splitlines():
        match = re.match(r"(.*?):(\d+):(.*)$", row)
        if match:
            found.append(Finding(match.group(1), int(match.group(2)), "cppcheck", match.group(3)))
    return found


def check(tree):
    files = tree.ending(".c") if ALL else changed_files(tree)
    if not files:
        return []
    flags = package_flags()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = [f for part in pool.map(lambda path: tidy_file(tree, path, flags), files) for f in part]
    # The same header finding comes up once per file that includes it.
    return list(dict.fromkeys(found + check_cppcheck(tree, files)))


BAD = {
    "tidy": {".clang-tidy": "Checks: '-*,bugprone-sizeof-expression'\nWarningsAsErrors: '*'\n",
             "daemon/a.c": "unsigned long f(int x);\nunsigned long f(int x)\n{\n\treturn sizeof(sizeof(x));\n}\n"},
    "cppcheck": {".clang-tidy": "Checks: '-*,bugprone-sizeof-expression'\n",
                 "daemon/a.c": "int f(void);\nint f(void)\n{\n\tint a[2] = {0, 1};\n\treturn a[2];\n}\n"},
}
GOOD = {"clean": {".clang-tidy": "Checks: '-*,bugprone-sizeof-expression'\n",
                  "daemon/a.c": "int f(int x);\nint f(int x)\n{\n\treturn x + 1;\n}\n"}}
