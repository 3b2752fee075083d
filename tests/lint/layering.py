"""layering - files that decide stay pure, adapters see nothing but the adapter contract.

Pure: no event loop, no HTTP client, no database, no clock, no I/O. Includes are followed through the project's own
headers, so a clean file that includes a header that includes libevent is found as well.
"""
import fnmatch
import os
import re

from lintlib import Finding, blank_c, is_under, line_of

NAME = "layering"

PURE = ["daemon/casework/*.c", "daemon/talk/*.c", "daemon/intake/classify*.c", "daemon/intake/item.c",
        "daemon/intake/place*.c", "daemon/intake/phrases*.c", "daemon/intake/urgency*.c", "daemon/intake/mask.c",
        "daemon/intake/opinion_words.c", "adapters/*.c",
        "daemon/voice/flow*.c", "daemon/voice/dialect*.c", "daemon/voice/saying.c",
        "daemon/voice/transcript.c", "daemon/voice/multipart.c", "daemon/media/picture.c", "daemon/media/exif.c",
        "daemon/media/multipart.c", "daemon/http/parser.c", "daemon/http/head.c", "daemon/http/form.c"]
IMPURE_HEADERS = re.compile(
    r"event2/|event\.h$|curl/|libpq|postgres|sys/socket\.h|sys/time\.h|sys/stat\.h|netinet/|arpa/|netdb\.h|poll\.h"
    r"|unistd\.h|fcntl\.h|hotline/(loop|pg|http_server|http_client|log|store)\.h$")
IMPURE_CALLS = re.compile(
    r"\b(time|clock|clock_gettime|gettimeofday|localtime_r|gmtime_r|mktime|hl_wall_us|hl_mono_us|hl_case_clock_now"
    r"|getrandom|rand|random|getenv|fopen|open|printf|fprintf|puts|hl_log|hl_log_write)\s*\(")
ADAPTER_HEADERS = re.compile(
    r"hotline/(provider|error|http_parse|slice|arena|buf|text)\.h$|openssl/|jansson\.h$|^common\.h$|^registry\.def$"
    r"|(assert|ctype|errno|inttypes|limits|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings)\.h$")
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]+)[>\"]", re.MULTILINE)


def is_pure(path):
    return any(fnmatch.fnmatchcase(path, p) for p in PURE)


def includes(tree, path):
    text = blank_c(tree.read(path) or "", keep_strings=True)
    return [(m.group(1), line_of(text, m.start(1))) for m in INCLUDE.finditer(text)]


def resolve(tree, path, name):
    """Path of a header of ours, None for one of the system."""
    for folder in (os.path.dirname(path), "include", "daemon"):
        candidate = os.path.normpath(os.path.join(folder, name))
        if candidate in tree.files:
            return candidate
    return None


def impure_chain(tree, path, name, seen):
    """The includes that lead from name to something impure; [] if none does."""
    if IMPURE_HEADERS.search(name):
        return [name]
    header = resolve(tree, path, name)
    if header is None or header in seen:
        return []
    seen.add(header)
    for inner, _ in includes(tree, header):
        chain = impure_chain(tree, header, inner, seen)
        if chain:
            return [name] + chain
    return []


def check_includes(tree, path):
    found = []
    for name, line in includes(tree, path):
        chain = impure_chain(tree, path, name, set())
        if chain:
            found.append(Finding(path, line, NAME, "a pure file includes " + " -> ".join(chain)))
        elif is_under(path, "adapters/") and not ADAPTER_HEADERS.search(name):
            found.append(Finding(path, line, NAME, f"an adapter includes {name}; the contract is hotline/provider.h"))
    return found


def check_calls(tree, path):
    text = blank_c(tree.read(path) or "")
    return [Finding(path, line_of(text, m.start()), NAME, f"a pure file calls {m.group(1)}()")
            for m in IMPURE_CALLS.finditer(text)]


def check(tree):
    found = []
    for path in filter(is_pure, tree.files):
        found += check_includes(tree, path) + check_calls(tree, path)
    return found


BAD = {
    "direct": {"daemon/casework/a.c": "#include <event2/event.h>\n"},
    "through a header": {"daemon/talk/a.c": "#include \"hotline/x.h\"\n",
                         "include/hotline/x.h": "#include <curl/curl.h>\n"},
    "clock": {"daemon/intake/place_find.c": "long f(void)\n{\n\treturn hl_wall_us();\n}\n"},
    "adapter": {"adapters/a.c": "#include \"hotline/config.h\"\n"},
}
GOOD = {
    "pure": {"daemon/casework/a.c": "#include <string.h>\n/* event2/event.h time() */\nint f(int now) { return now; }\n",
             "daemon/loop/loop.c": "#include <event2/event.h>\n",
             "adapters/a.c": "#include \"hotline/provider.h\"\nstatic const char *s = \"time(\";\n"},
}
