"""numbers - no telephone number but those of the demo block +86 100 0000 xxxx, which nobody can hold.

tests/vectors is left out: providers' official examples are quoted there as they are printed.
Short codes (12345) are not numbers of people. Digests (32 and more hex digits) are skipped.
"""
import re
import unicodedata

from lintlib import Finding, is_under, line_of

NAME = "numbers"

LEFT_OUT = ("tests/vectors/",)
DEMO = re.compile(r"1000000(\d{4})?$")  # or the block itself, as in its name
HEX_RUN = re.compile(r"[0-9a-fA-F]{32,}")
MOBILE = re.compile(r"(?<![\d.])(?:86)?(1[3-9]\d{9})(?![\dLlUu])")
SPACED = re.compile(r"(?<!\d)1[3-9]\d[ -]\d{4}[ -]\d{4}(?!\d)")
CHINA = re.compile(r"(?:\+ ?|\b00)86[ -]?(\d(?:[ -]?\d){6,})")
ABROAD = re.compile(r"\+(?!86)\d{8,15}(?!\d)")


def offsets(text):
    yield from (m.start() for m in MOBILE.finditer(text))
    yield from (m.start() for m in SPACED.finditer(text))
    yield from (m.start() for m in CHINA.finditer(text) if not DEMO.match(re.sub(r"[ -]", "", m.group(1))))
    yield from (m.start() for m in ABROAD.finditer(text))


def check_file(path, text):
    # Full-width digits count as digits; blanking keeps lines.
    plain = unicodedata.normalize("NFKC", text)
    plain = HEX_RUN.sub(lambda m: "x" * len(m.group(0)), plain)
    lines = sorted({line_of(plain, o) for o in offsets(plain)})
    return [Finding(path, line, NAME, "a number outside the demo block +86 100 0000 xxxx") for line in lines]


def check(tree):
    found = []
    for path in tree.files:
        if not is_under(path, *LEFT_OUT):
            found += check_file(path, tree.read(path) or "")
    return found


# In pieces, so that this file passes its own check.
_BODY = "38" + "00138000"
BAD = {
    "plain": {"a.md": "ring 1" + _BODY + "\n"},
    "country": {"a.c": "x = \"+86" + "1000001" + "0001\";\n"},
    "no plus": {"a.json": "[\"861" + _BODY + "\"]\n"},
    "spaced": {"a.txt": "1" + "38 0013 8000\n"},
    "full width": {"a.txt": "１" + "３８００１３８０００\n"},
    "abroad": {"a.txt": "+1" + "2025550123\n"},
}
GOOD = {
    "demo": {"a.c": "\"+8610000000001\" 10000000001 \"+86 100 0000 0002\" 12345 1732505664123456 15000000000LL\n",
             "b.txt": "d41d8cd98f00b204e98001" + "3800138000" + "ab\n+8612345 +86100****0001\n",
             "tests/vectors/x.json": "1" + _BODY + "\n"},
}
