"""seeds - where each fuzz target begins: made from the vectors, the reference data and the settings of the tests.

    seeds.py DIR    writes DIR/TARGET/NAME; whatever was there is replaced

The form of a seed is told at the top of the target. Nothing here is kept in the repository twice.
"""
import json
import pathlib
import re
import shutil
import struct
import sys
import urllib.parse
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTORS, REF = ROOT / "tests/vectors", ROOT / "schema/ref"
N_STATUSES = 8  # of fuzz_adapter.c, behind the provider's paths
ENTRIES = 3     # of a document's lists: a large seed is slow to change and says no more


def providers():
    return re.findall(r"^X\((\w+)\)", (ROOT / "adapters/registry.def").read_text(), re.MULTILINE)


def paths(name):
    source = (ROOT / f"adapters/{name}.c").read_text()
    match = re.search(r"paths\[\] = \{(.*?)\}", source, re.DOTALL) or re.search(r"\.paths = .*?\{(.*?)\}", source, re.DOTALL)
    return re.findall(r'"([^"]*)"', match.group(1)) if match else [""]


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())["vectors"]


def body_of(part):
    return bytes.fromhex(part["body_hex"]) if "body_hex" in part else str(part.get("body", "")).encode()


def requests():
    """(provider, request) of every vector."""
    for name in providers():
        for vector in vectors(name):
            if "request" in vector:
                yield name, vector["request"]


def texts():
    for name in providers():
        yield from (m["text"] for vector in vectors(name) for m in vector.get("messages", []) if "text" in m)
    for path in sorted(VECTORS.glob("talk_*.jsonl")):
        yield from (json.loads(line)["text"] for line in path.read_text().splitlines())


def http():
    for _, request in requests():
        body, query = body_of(request), request.get("query", "")
        head = [f"{request.get('method', 'POST')} /hook/x{'?' * bool(query)}{query} HTTP/1.1", "Host: a"]
        head += [f"{name}: {value}" for name, value in request.get("headers", {}).items()]
        yield b"\x05" + "\r\n".join(head + [f"Content-Length: {len(body)}", "", ""]).encode() + body
        yield b"\x01" + "\r\n".join(head + ["Transfer-Encoding: chunked", "", ""]).encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (
            len(body), body)


def form():
    for _, request in requests():
        for text in (request.get("query", "").encode(), body_of(request)):
            for key in list(dict(urllib.parse.parse_qsl(text.decode("latin-1"))))[:2]:
                yield key.encode("latin-1", "replace") + b"\n" + text


def adapter():
    names = providers()
    for name, request in requests():
        known = paths(name)
        subpath = request.get("subpath", "")
        choice = known.index(subpath) if subpath in known else 0
        headers = "".join(f"{key}: {value}\n" for key, value in request.get("headers", {}).items())
        yield bytes([names.index(name), choice]) + f"{request.get('query', '')}\n{headers}\n".encode() + body_of(request)
    for name in names:
        for vector in vectors(name):
            for part in ("answer", "found"):
                answer = vector.get(part)
                if isinstance(answer, dict) and "body" in answer:
                    yield from (bytes([names.index(name), len(paths(name)) + i]) + body_of(answer) for i in (0, 2, 3))


def text():
    """Each in one charset: they differ in the charset more than in the words."""
    charsets = ("utf-8", "utf-8", "gbk", "gb18030", "utf-16-be", "utf-16-le")
    for i, word in enumerate(texts()):
        yield bytes([i % len(charsets)]) + word.encode(charsets[i % len(charsets)], "replace")


def item():
    return (b"+8610000000001\n" + word.encode() for word in texts())


def classify():
    """What places and slips of the tongue are made of: once, and many times over."""
    for name in ("place_texts", "heard_texts"):
        for i, line in enumerate((VECTORS / f"{name}.jsonl").read_text().splitlines()):
            yield bytes([(i % 5) * 3]) + json.loads(line)["text"].encode()


def talk():
    return (bytes([i % 8]) + word.encode() for i, word in enumerate(texts()))


def config():
    table = (ROOT / "README.md").read_text().partition("<!-- config -->")[2].partition("<!-- /config -->")[0]
    rows = re.findall(r"^\| `\[([\w ]+)\]` \| `(\w+)` \| \w+ \| (?:`([^`]*)`)?", table, re.MULTILINE)
    whole = "".join(f"[{section}]\n{key} = {value or 'x'}\n" for section, key, value in rows)
    yield whole.encode()
    yield from (f"[{section}]\n{key} = {value or 1}\n".encode() for section, key, value in rows)
    yield b"[channel loopback]\nprovider = loopback\nfrom = 12345\nsend_url = http://127.0.0.1:8080/sink/loopback\n"


def shorten(value, depth=0):
    if isinstance(value, list):
        return [shorten(entry, depth + 1) for entry in value[:ENTRIES]]
    return {key: shorten(entry, depth + 1) for key, entry in value.items()} if isinstance(value, dict) else value


def doc():
    kinds = ["limits", "rules", "places", "templates", "grammar", "units", "case_types", None, "calendar"]
    for i, kind in enumerate(kinds):
        if kind:
            whole = json.loads((REF / f"{kind}.json").read_text())
            if kind == "calendar":
                whole["holidays"] = [json.loads(path.read_text()) for path in sorted((REF / "holidays").glob("*.json"))[:1]]
            for document in (whole, shorten(whole)):
                yield bytes([i]) + json.dumps(document, ensure_ascii=False).encode()
    hours = [[1767225600 + day * 86400 + start, 1767225600 + day * 86400 + start + 14400, 20454 + day]
             for day in range(5) for start in (3600, 23400)]
    yield b"\x07" + json.dumps({"name": "n", "zone": "Asia/Shanghai", "provisional_from": 1800000000,
                                "offsets": [[0, 28800]], "intervals": hours}).encode()


def png(width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes(x * y % 256 for x in range(3 * width)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


# A grey JPEG of 16 x 16, and the block that says which way up it is.
JPEG = bytes.fromhex(
    "ffd8ffdb004300" + "01" * 64 + "ffc0000b080010001001011100ffc4001400010000000000000000000000000000000009ffc40014"
    "100100000000000000000000000000000000ffda0008010100003f0054dfffd9")
EXIF = bytes.fromhex("ffe1002245786966000049492a0008000000010012010300010000000600000000000000")


def media():
    yield from (png(w, h) for w, h in ((1, 1), (7, 5), (40, 30)))
    yield JPEG
    yield JPEG[:2] + EXIF + JPEG[2:]
    part = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\nbytes\r\n'
    yield b'multipart/form-data; boundary="x"\n' + part * 2 + b"--x--\r\n"
    yield part + b"--x--\r\n"


def main():
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    for target in (http, form, adapter, text, item, classify, talk, config, doc, media):
        folder = out / target.__name__
        folder.mkdir(parents=True)
        for i, seed in enumerate(target()):
            (folder / f"{i:04d}").write_bytes(seed)
        assert i > 0, target


if __name__ == "__main__":
    main()
