"""fuzz - runs the fuzz targets and prints a line for each; a finding is kept, named and makes it fail.

    fuzz.py --build DIR [--seconds N | --smoke] [TARGET ...]

--smoke: a fixed number of runs from a fixed seed, for make check. What a long run learns stays in DIR/fuzz/corpus and is
where the next one begins; findings stay in DIR/fuzz/findings, and the line that repeats one is printed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What a run of make check is worth: a few seconds each.
SMOKE_RUNS = {"http": 20000, "form": 20000, "adapter": 6000, "text": 6000, "item": 1500, "classify": 1000, "talk": 2500,
              "config": 3000, "doc": 2000, "media": 3000}
SMOKE_SECONDS = 120
INPUT_SECONDS = 25  # by the wall clock: a busy machine is no finding
MAX_BYTES = {"doc": 100000}


def targets():
    return sorted(path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.c"))


def run(base, target, seconds):
    """Gives (target, line to print, ok)."""
    findings, corpus = base / "findings", base / "corpus" / target
    findings.mkdir(exist_ok=True)
    command = [base / f"fuzz_{target}", f"-max_len={MAX_BYTES.get(target, 4096)}", f"-timeout={INPUT_SECONDS}",
               "-rss_limit_mb=2048", f"-artifact_prefix={findings}/{target}-", "-print_final_stats=1"]
    env = {**os.environ, "HL_TEST": "1", "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1"}
    with tempfile.TemporaryDirectory(prefix="hl-fuzz-") as scratch:
        if seconds is None:
            command += ["-seed=1", f"-runs={SMOKE_RUNS[target]}", scratch]
        else:
            corpus.mkdir(parents=True, exist_ok=True)
            command += [f"-max_total_time={seconds}", corpus]
        try:
            done = subprocess.run([*map(str, command), str(base / "seeds" / target)], cwd=ROOT, env=env, capture_output=True,
                                  text=True, errors="replace", check=False, timeout=(seconds or SMOKE_SECONDS) * 2 + 60)
        except subprocess.TimeoutExpired:
            return target, f"{target}: no end", False
    stats = dict(re.findall(r"^stat::(\w+):\s+(\d+)$", done.stderr, re.MULTILINE))
    covered = re.findall(r"cov: (\d+)", done.stderr)
    line = f"{target}: {stats.get('number_of_executed_units', '?')} runs, {covered[-1] if covered else '?'} edges"
    if done.returncode == 0:
        return target, line, True
    kept = re.findall(r"Test unit written to (\S+)", done.stderr)
    repeat = "".join(f"\n  again: {base / f'fuzz_{target}'} {path}" for path in kept)
    return target, f"{line}, FINDING (exit code {done.returncode}){repeat}\n{done.stderr[-6000:]}", False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    args = parser.parse_args()
    if unknown := set(args.targets) - set(targets()):
        parser.error(f"no such target: {' '.join(sorted(unknown))}; there are: {' '.join(targets())}")
    base = (ROOT / args.build / "fuzz").resolve()
    seconds = None if args.smoke else args.seconds
    is_clean = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for target, line, ok in pool.map(lambda name: run(base, name, seconds), args.targets or targets()):
            print(f"fuzz {target}: {'passed' if ok else 'failed'}: {line.partition(': ')[2]}", flush=True)
            is_clean &= ok
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
