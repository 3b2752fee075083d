"""banned - calls that the house does without, in C code outside comments and strings."""
import fnmatch
import re

from lintlib import Finding, blank_c, line_of

NAME = "banned"

# call -> (files where it is allowed, what to use)
RULES = [
    (r"v?sprintf|strcpy|strcat|stpcpy", [], "use hl_buf or snprintf"),
    (r"strtok|strtok_r", [], "use slices"),
    (r"atoi|atol|atoll|atof", [], "use a parser that reports errors"),
    (r"gets|tmpnam|mktemp", [], "no safe use"),
    (r"localtime|gmtime|ctime|asctime|localtime_r|tzset", [], "zone rules are read at import only"),
    (r"gmtime_r|strftime", ["daemon/base/*.c", "daemon/ctl/*.c", "tests/*"], "time is formatted in one place"),
    (r"system|popen", [], "no shell"),
    (r"time|gettimeofday|clock_gettime", ["daemon/base/clock.c"], "use hl_wall_us or hl_mono_us"),
    # hotlinectl has no loop to block; the daemon has.
    (r"PQexec|PQexecParams|PQexecPrepared|PQprepare|PQconnectdb|PQconnectdbParams|PQsetdbLogin|PQreset|PQping",
     ["daemon/db/migrate.c", "daemon/ctl/*.c", "tests/*"], "blocks the loop: use hl_pg"),
    (r"strncpy", [], "does not end what it cuts"),
    (r"alloca", [], "unbounded stack"),
]
COMPILED = [(re.compile(rf"(?<![\w.>])({calls})\s*\("), places, why) for calls, places, why in RULES]


def check_file(path, text):
    code = blank_c(text)
    found = []
    for pattern, places, why in COMPILED:
        if any(fnmatch.fnmatchcase(path, p) for p in places):
            continue
        for match in pattern.finditer(code):
            found.append(Finding(path, line_of(code, match.start()), NAME, f"{match.group(1)}(): {why}"))
    return found


def check(tree):
    return [f for path in tree.ending(".c", ".h") for f in check_file(path, tree.read(path) or "")]


BAD = {
    "sprintf": {"daemon/a/a.c": "void f(char *s)\n{\n\tsprintf(s, \"x\");\n}\n"},
    "time": {"tests/unit/a.c": "long f(void) { return time (NULL); }\n"},
    "blocking": {"daemon/notify/a.c": "void f(void *c) { PQexec(c, \"select 1\"); }\n"},
    "after a string": {"daemon/a/a.c": "int f(void) { g(\"\\\"\"); return atoi(\"1\"); }\n"},
}
GOOD = {
    "harmless": {"daemon/a/a.c": "/* strcpy(a, b) */\n// time(0)\nint my_time(int); int f(struct x *x)\n"
                                 "{ return x->time(3) + my_time(2) + g(\"atoi(\"); }\n",
                 "daemon/base/clock.c": "long f(void) { return clock_gettime(0, 0); }\n",
                 "daemon/db/migrate.c": "void f(void *c) { PQexec(c, \"select 1\"); }\n"},
}
