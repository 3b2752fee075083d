"""wire_map - every official example that was collected for the wire formats is proven by a test of ours, or is told why not.

tests/vectors/wire_map.json: {FILE: {NAME: row}}. A row has `proof`, a list of `VECTORS.json#NAME` (one of tests/vectors) or
`PATH#WORDS` (a test that holds these words), or `not_ours`, the reason, or `not_yet`, the area that will fill it in;
`verified` where the official value was reproduced: then one of the proofs is a vector marked official, or a test.
The examples themselves are not part of this repository. Where they are not beside it (../shared/wire/vectors) the map is
not compared with them, and a warning says so.
"""
import json

from lintlib import Finding

NAME = "wire_map"
VECTORS = "tests/vectors"
MAP = f"{VECTORS}/wire_map.json"


def rows_of(wire_map):
    for file, rows in wire_map.items():
        for name, row in rows.items():
            yield f"{file}: {name}", row


def own_vectors(tree, file):
    """Our vectors by their names; None when there is no such file."""
    if f"{VECTORS}/{file}" not in tree.files:
        return None
    doc = json.loads(tree.read(f"{VECTORS}/{file}"))
    return {vector["name"]: vector for vector in (doc["vectors"] if isinstance(doc, dict) else doc)}


def look_at(tree, proof):
    """(what is wrong with it, whether it stands for an official value)."""
    file, _, words = proof.partition("#")
    if "/" in file:
        is_there = file in tree.files and words and words in tree.read(file)
        return (None if is_there else f"no test {proof}"), True
    vector = (own_vectors(tree, file) or {}).get(words)
    return (None if vector else f"no vector {proof}"), bool(vector and vector.get("official"))


def faults_of(tree, row):
    kinds = [key for key in ("proof", "not_ours", "not_yet") if row.get(key)]
    if len(kinds) != 1:
        return ["needs one of proof, not_ours and not_yet"]
    looked = [look_at(tree, proof) for proof in row.get("proof", [])]
    faults = [fault for fault, _ in looked if fault]
    if row.get("verified") and kinds[0] == "not_ours":
        faults.append("a reproduced official value is never not ours")
    if row.get("verified") and looked and not any(official for _, official in looked):
        faults.append("none of its vectors is marked official")
    return faults


def compare(wire_map, folder):
    """What the folder of examples has and the map has not, and the other way round."""
    theirs = {}
    for path in folder.glob("*.json"):
        for example in json.loads(path.read_text(encoding="utf-8")):
            theirs[f"{path.name}: {example['name']}"] = bool(example.get("verified"))
    ours = {name: bool(row.get("verified")) for name, row in rows_of(wire_map)}
    for name in sorted(theirs.keys() | ours.keys()):
        if theirs.get(name) != ours.get(name):
            yield f"{name}: is {'not ' if name not in theirs else ''}an example, verified: {theirs.get(name)}; the map: {ours.get(name)}"


def check(tree):
    if MAP not in tree.files:
        return [Finding(MAP, 1, NAME, "is missing")]
    text = tree.read(MAP)
    wire_map = json.loads(text)
    folder = tree.root / "../shared/wire/vectors"
    found = [Finding(MAP, 1, NAME, f"{name}: {fault}") for name, row in rows_of(wire_map) for fault in faults_of(tree, row)]
    if folder.is_dir():
        found += [Finding(MAP, 1, NAME, fault) for fault in compare(wire_map, folder)]
    else:
        found.append(Finding(MAP, 1, NAME, f"not compared: no examples in {folder}", is_warning=True))
    waiting = [name for name, row in rows_of(wire_map) if row.get("not_yet")]
    if waiting:
        found.append(Finding(MAP, 1, NAME, f"{len(waiting)} examples wait for their proof", is_warning=True))
    return found


def sample(row):
    vectors = [{"name": "a", "official": True}, {"name": "b"}]
    return {MAP: json.dumps({"x.json": {"n": row}}), f"{VECTORS}/x.json": json.dumps(vectors), "tests/t.py": "def test_a\n"}


BAD = {
    "no map": {"a.c": "\n"},
    "no proof": sample({"verified": True}),
    "no such vector": sample({"proof": ["x.json#c"]}),
    "no such file": sample({"proof": ["y.json#a"]}),
    "no such test": sample({"proof": ["tests/it/test_x.py#test_a"]}),
    "not official": sample({"verified": True, "proof": ["x.json#b"]}),
    "verified and left out": sample({"verified": True, "not_ours": "because"}),
}
GOOD = {
    "proven": sample({"verified": True, "proof": ["x.json#b", "x.json#a"]}),
    "proven by a test": sample({"verified": True, "proof": ["tests/t.py#test_a"]}),
    "left out": sample({"not_ours": "because"}),
}
