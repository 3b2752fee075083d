"""cross_check - our adapters beside the providers' own Node packages: they sign what we verify, and check what we signed.

    make cross-check            installs the packages of package.json with npm into build/cross (the first time), looks at
                                every signed request of tests/vectors, and signs the calls anew: they must be those that
                                tests/vectors holds under names that begin with `cross: `, which make check verifies
    cross_check.py BUILD --write    puts the calls into tests/vectors

Not a part of make check: it needs Node and the network. What it makes are values only; no code of the packages is kept.
"""
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
VECTORS = HERE.parents[1] / "tests/vectors"
PREFIX = "cross: "
CHECKED = ("aliyun", "tencent", "huawei", "standard")


def install(folder):
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_bytes()
    stamp = folder / "package.json"
    if not (folder / "node_modules").is_dir() or stamp.read_bytes() != wanted:
        stamp.write_bytes(wanted)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=folder, check=True)
    shutil.copy(HERE / "cross.js", folder)


def node(folder, *words):
    return subprocess.run(["node", "cross.js", *words], cwd=folder, capture_output=True, text=True, check=False)


def file_of(name):
    return VECTORS / f"{name}.json"


def committed(name):
    return [v for v in json.loads(file_of(name).read_text(encoding="utf-8"))["vectors"] if v["name"].startswith(PREFIX)]


def write(name, vectors):
    doc = json.loads(file_of(name).read_text(encoding="utf-8"))
    doc["vectors"] = [v for v in doc["vectors"] if not v["name"].startswith(PREFIX)] + vectors
    file_of(name).write_text(json.dumps(doc, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(build, *options):
    folder = pathlib.Path(build).resolve() / "cross"
    install(folder)
    checked = node(folder, "check", *(str(file_of(name)) for name in CHECKED))
    signed = node(folder, "sign", str(file_of("standard")))
    print(checked.stdout + checked.stderr + signed.stderr, end="")
    if checked.returncode or signed.returncode:
        return 1
    differ = [name for name, vectors in json.loads(signed.stdout).items() if committed(name) != vectors]
    if "--write" in options:
        for name in differ:
            write(name, json.loads(signed.stdout)[name])
        differ = []
    for name in differ:
        print(f"tests/vectors/{name}.json: its calls '{PREFIX}...' are not those that the packages sign; see --write")
    print("cross-check: " + ("failed" if differ else "passed"))
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
