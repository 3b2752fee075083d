"""sizes - functions over 100 lines and files over 600 are errors; over 60 and 500 they are warnings."""
import os
import subprocess

from lintlib import Finding

NAME = "sizes"
FUNCTION_ERROR, FUNCTION_WARNING = 100, 60
FILE_ERROR, FILE_WARNING = 600, 500


def judge(path, line, what, lines, warning, error):
    if lines <= warning:
        return []
    return [Finding(path, line, NAME, f"{what} has {lines} lines, at most {error} (aim below {warning})",
                    is_warning=lines <= error)]


def check_functions(tree):
    files = tree.ending(".c", ".h")
    if not files:
        return []
    done = subprocess.run(["ctags", "-x", "--c-kinds=f", "--fields=+ne", "--_xformat=%{end} %n %N %F", "-L", "-"],
                          cwd=tree.root, input="\n".join(files), capture_output=True, text=True, check=True)
    found = []
    for row in done.stdout.splitlines():
        end, start, name, path = row.split(" ", 3)
        if end.isdigit():
            found += judge(path, int(start), name, int(end) - int(start) + 1, FUNCTION_WARNING, FUNCTION_ERROR)
    return found


def check(tree):
    found = check_functions(tree)
    for path in tree.ending(".c", ".h", ".def", ".sql", ".py", ".sh"):
        lines = (tree.read(path) or "").count("\n")
        found += judge(path, 1, os.path.basename(path), lines, FILE_WARNING, FILE_ERROR)
    return found


BAD = {
    "function": {"daemon/a/a.c": "void f(void)\n{\n" + "\tg();\n" * 100 + "}\n"},
    "file": {"schema/0001_a.sql": "select 1;\n" * 601},
}
GOOD = {"short": {"daemon/a/a.c": "void f(void)\n{\n" + "\tg();\n" * 20 + "}\n", "schema/ref/a.json": "1\n" * 900}}
