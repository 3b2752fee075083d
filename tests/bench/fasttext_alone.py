#!/usr/bin/python3
"""fasttext_alone.py TRAIN.jsonl EXAMPLES.json [FILE.jsonl ...] - what fastText alone makes of the labelled texts, for
schema/ref/model.md: five-fold cross-validation (near-copies in one fold), then FILEs by a model of all.

Needs the command fasttext (Debian: fasttext). Nothing of it is shipped.
"""
import collections
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEAD = {t["code"]: t["lead"] for t in json.loads((ROOT / "schema/ref/case_types.json").read_text())["case_types"]}
HOW = "-wordNgrams 3 -dim 50 -epoch 40 -lr 0.5 -minCount 2 -bucket 200000 -loss softmax -thread 1 -seed 1 -verbose 0".split()
FOLDS, SHINGLE, COPIES = 5, 14, 6


def characters(text):
    """Characters as words, numbers as one 0, places of the data (A7县) left out."""
    folded = re.sub(r"[a-z]\d*[市县区省]", "", unicodedata.normalize("NFKC", text).lower())
    return " ".join(re.sub(r"\d+", "0", re.sub(r"\s", "", folded)))


def views(sample):
    """{view: text}: whole, and the title alone where there is one."""
    title, text = sample.get("title") or "", sample.get("text") or ""
    return {"title+text": characters(title + text), **({"title alone": characters(title)} if title and text else {})}


def folds_of(samples):
    parent, seen = list(range(len(samples))), collections.defaultdict(list)

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    for i, sample in enumerate(samples):
        text = re.sub(r"\W|\d", "", (sample.get("title") or "") + (sample.get("text") or ""))
        for shingle in {text[k:k + SHINGLE] for k in range(len(text) - SHINGLE + 1)}:
            seen[shingle].append(i)
    for group in seen.values():
        for other in group[1:] if len(group) <= COPIES else ():
            parent[root(other)] = root(group[0])
    return [(root(i) * 2654435761 >> 8) % FOLDS for i in range(len(samples))]


def classify(learnt, asked):
    """Types that fastText, taught with learnt, gives to the asked texts."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        lines = [f"__label__{s['type']} {text}" for s in learnt for text in views(s).values()]
        (path / "in").write_text("\n".join(lines) + "\n")
        subprocess.run(["fasttext", "supervised", "-input", path / "in", "-output", path / "m", *HOW], check=True,
                       stdout=subprocess.DEVNULL)
        done = subprocess.run(["fasttext", "predict", path / "m.bin", "-"], input="\n".join(asked) + "\n", text=True,
                              capture_output=True, check=True)
    return [line.removeprefix("__label__") for line in done.stdout.splitlines()]


def share(right, n):
    """Figure with Wilson's interval, 95 %."""
    p, z2 = right / n, 1.96 ** 2
    middle, half = p + z2 / (2 * n), 1.96 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return f"{p:.3f} ({(middle - half) / (1 + z2 / n):.3f}-{(middle + half) / (1 + z2 / n):.3f})"


def report(name, samples, said):
    def accepted(s, is_strict):
        unsure = s.get("accept") or (s.get("alt", []) if s.get("conf", 3) < 3 else [])
        return {s["type"]} | (set() if is_strict else {a for a in unsure if a in LEAD})

    for is_strict in (True, False):
        pairs = [(accepted(s, is_strict), t) for s, t in zip(samples, said)]
        unit = sum(LEAD.get(t) in {LEAD[a] for a in ok} for ok, t in pairs)
        kind = sum(t in ok for ok, t in pairs)
        print(f"| fastText alone, {name}, {'first' if is_strict else 'either'} label | {len(pairs)} | "
              f"{share(unit, len(pairs))} | {share(kind, len(pairs))} |", flush=True)


def main(train, examples, *files):
    samples = [json.loads(line) for line in open(train, encoding="utf-8")]
    own = [{"type": code, "text": text} for code, texts in json.loads(pathlib.Path(examples).read_text())["examples"].items()
           for text in texts]
    folds, said = folds_of(samples), {"title+text": {}, "title alone": {}}
    for fold in range(FOLDS):
        learnt = [s for s, f in zip(samples, folds) if f != fold] + own
        held = [(i, view, text) for i, s in enumerate(samples) if folds[i] == fold for view, text in views(s).items()]
        for (i, view, _), code in zip(held, classify(learnt, [text for _, _, text in held])):
            said[view][i] = code
    for view, codes in said.items():
        report(view, [samples[i] for i in codes], list(codes.values()))
    for file in files:
        asked = [json.loads(line) for line in open(file, encoding="utf-8")]
        for view in ("title+text", "title alone"):
            some = [s for s in asked if view in views(s)]
            if some:
                report(f"{pathlib.Path(file).name} {view}", some, classify(samples + own, [views(s)[view] for s in some]))


if __name__ == "__main__":
    main(*sys.argv[1:])
