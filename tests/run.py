"""run - the parts of `make check`, each timed, and the sum of what passed, failed and was left out.

    run.py [--build DIR] [PART ...]    parts: build clang lint unit fuzz it faults; none named: all of them
                                       faults-long: the long forms of faults, never unless named

A build and a lint count as one check each, a test as one. Everything that was skipped is listed with its reason
before the last line, which is `N passed, N failed` or `N passed, N failed, N skipped`. The exit code is 0 only when
nothing failed and, if tests were asked for, at least one ran.
"""
import argparse
import concurrent.futures
import dataclasses
import glob
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
JOBS = os.cpu_count() or 1
UNIT_SECONDS = 300
PYTEST_SECONDS = 1500
FAULTS_SECONDS = 3600
GRACE_SECONDS = 60
MEMORY, MEMORY_BYTES = "/dev/shm", 6 << 30
# Files of tests at once, each worker with a cluster, daemons and ports of its own. They wait more than they compute.
WORKERS = ["-n", str(2 * min(JOBS, 4)), "--dist", "loadfile"]


@dataclasses.dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: list = dataclasses.field(default_factory=list)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def of(self, ok):
        if ok:
            self.passed += 1
        else:
            self.failed += 1


def make(*args):
    # Called from make: its job server is not ours.
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return subprocess.run(["make", "-s", f"-j{JOBS}", *args], cwd=ROOT, env=env, check=False).returncode == 0


def part_build(build):
    tally = Tally()
    tally.of(make(f"BUILD={build}", "WERROR=-Werror", "all"))
    return tally


def part_clang(build):
    tally = Tally()
    tally.of(make(f"BUILD={build}/clang", "CC=clang", "WERROR=-Werror", "all"))
    return tally


# lint ----------------------------------------------------------------------------------------------------------------

def part_lint(build):
    tally = Tally()
    lint = [sys.executable, str(ROOT / "tests/lint/lint.py")]
    tally.of(subprocess.run([*lint, "--selftest"], check=False).returncode == 0)
    done = subprocess.run([*lint, "--build", build], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="")
    results = re.findall(r"^lint (\w+): (.*)$", done.stdout, re.MULTILINE)
    for name, result in results:
        if result in ("passed", "failed"):
            tally.of(result == "passed")
        else:
            tally.skipped.append(f"lint {name}: {result}")
    if not results:
        tally.failed += 1
    return tally


# unit tests ----------------------------------------------------------------------------------------------------------

CMOCKA_LINE = re.compile(r"^\[ *(RUN|OK|FAILED|SKIPPED) *\] (.*)$", re.MULTILINE)


def read_cmocka(name, output, code):
    """Counts what a cmocka program printed. A test that began and never ended (a crash) failed."""
    tally, running, failed = Tally(), None, []
    for word, test in CMOCKA_LINE.findall(output):
        if word == "RUN":
            if running:
                failed.append(running)
            running = test
        elif running and test.startswith(running):
            if word == "OK":
                tally.passed += 1
            elif word == "SKIPPED":
                tally.skipped.append(f"{name}: {test}: " + (skip_reason(output, test) or "no reason given"))
            else:
                failed.append(test)
            running = None
    if running:
        failed.append(running)
    tally.failed = len(failed)
    if not failed and (code != 0 or tally.passed + len(tally.skipped) == 0):
        tally.failed = 1
    return tally


def skip_reason(output, test):
    """A test says why it skips on a line of its own just before: `skip: reason`."""
    match = re.search(rf"^\[ *RUN *\] {re.escape(test)}\n(.*?)^\[ *SKIPPED *\]", output, re.MULTILINE | re.DOTALL)
    lines = match.group(1).strip().splitlines() if match else []
    return lines[-1].removeprefix("skip:").strip() if lines else None


def run_unit(program):
    env = {"HOTLINE_DATA": str(ROOT / "../shared"), **os.environ, "HL_TEST": "1", "CMOCKA_MESSAGE_OUTPUT": "stdout",
           "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
    try:
        done = subprocess.run([program], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=UNIT_SECONDS, check=False)
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        output, code = (late.stdout or b"") + b"\nno end within %d s\n" % UNIT_SECONDS, -1
    except OSError as problem:
        output, code = str(problem).encode(), -1
    return program, output.decode("utf-8", errors="replace"), code


def part_unit(build):
    tally = Tally()
    if not make(f"BUILD={build}", "WERROR=-Werror", "unit-bins"):
        tally.failed += 1
        print("unit: the tests do not build")
        return tally
    names = sorted(p.stem for p in (ROOT / "tests/unit").glob("test_*.c"))
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for program, output, code in pool.map(run_unit, [str(ROOT / build / "unit" / n) for n in names]):
            name = os.path.basename(program)
            one = read_cmocka(name, output, code)
            print(f"  {name}: {one.passed} passed, {one.failed} failed, {len(one.skipped)} skipped")
            if one.failed:
                print(output)
            tally.add(one)
    return tally


# fuzz targets, a short fixed run ----------------------------------------------------------------------------------------

def part_fuzz(build):
    if not make(f"BUILD={build}", "WERROR=-Werror", "fuzz-bins"):
        print("fuzz: the targets do not build")
        return Tally(failed=1)
    done = subprocess.run([sys.executable, str(ROOT / "tests/fuzz/fuzz.py"), "--build", build, "--smoke"],
                          stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout, end="")
    results = re.findall(r"^fuzz \w+: (passed|failed)", done.stdout, re.MULTILINE)
    return Tally(results.count("passed"), results.count("failed") + (not results))


# integration and end to end ------------------------------------------------------------------------------------------

def read_junit(path, code):
    """Counts tests, not entries: one that fails and breaks its teardown as well stands twice in the report."""
    try:
        cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
    except (OSError, xml.etree.ElementTree.ParseError):
        cases = []
    failed, skipped, passed = set(), {}, set()
    for case in cases:
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(name)
        elif case.find("skipped") is not None:
            skipped[name] = f"{name}: {case.find('skipped').get('message')}"
        else:
            passed.add(name)
    tally = Tally(len(passed - failed), len(failed), [skipped[name] for name in skipped if name not in failed])
    # 5: there was no test to run. Any other code must be explained by a failed test.
    if code not in (0, 5) and not tally.failed:
        tally.failed = 1
    return tally


def end_gently(process):
    """As Ctrl-C does: pytest writes its report and its fixtures stop what they started."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cluster_folder():
    """Where a file system in memory has room, its syncs cost nothing: clusters that no fault visits may lie there."""
    try:
        room = os.statvfs(MEMORY)
    except OSError:
        return {}
    return {"HL_CLUSTERS": MEMORY} if room.f_bavail * room.f_frsize >= MEMORY_BYTES and os.access(MEMORY, os.W_OK) else {}


def run_pytest(build, seconds, *args, env=None):
    with tempfile.TemporaryDirectory(prefix="hl-junit-") as temp:
        report = os.path.join(temp, "junit.xml")
        env = {**os.environ, "HL_BUILD": str(ROOT / build), "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
        command = [sys.executable, "-m", "pytest", "-q", "--durations=5", f"--junitxml={report}", *args]
        process = subprocess.Popen(command, cwd=ROOT, env=env)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"{' '.join(args)}: no end within {seconds} s")
            end_gently(process)
            code = -1
        except KeyboardInterrupt:
            end_gently(process)
            raise
        return read_junit(report, code)


def part_it(build):
    folders = [f"tests/{f}" for f in ("it", "e2e") if glob.glob(str(ROOT / "tests" / f / "test_*.py"))]
    return run_pytest(build, PYTEST_SECONDS, *WORKERS, *folders, env=cluster_folder()) if folders else Tally()


def part_faults(build, which="not long", seconds=PYTEST_SECONDS, how=WORKERS):
    if not make(f"BUILD={build}", "WERROR=-Werror", "all", "tools"):
        print("faults: the tools do not build")
        return Tally(failed=1)
    return run_pytest(build, seconds, *how, "-m", which, "tests/faults")


def part_faults_long(build):
    """One after the other: what they measure is the time of recovery."""
    return part_faults(build, "long", FAULTS_SECONDS, how=())


PARTS = {"build": part_build, "clang": part_clang, "lint": part_lint, "unit": part_unit, "fuzz": part_fuzz, "it": part_it, "faults": part_faults}
ALL_PARTS = {**PARTS, "faults-long": part_faults_long}
TEST_PARTS = {"unit", "fuzz", "it", "faults", "faults-long"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("parts", nargs="*", metavar="PART")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(ALL_PARTS):
        parser.error(f"no such part: {' '.join(sorted(unknown))}")
    sys.stdout.reconfigure(line_buffering=True)
    parts = args.parts or list(PARTS)
    total, tests, times = Tally(), 0, []
    for name in parts:
        print(f"== {name}")
        began = time.monotonic()
        tally = ALL_PARTS[name](args.build)
        seconds = time.monotonic() - began
        times.append((name, seconds, tally))
        total.add(tally)
        if name in TEST_PARTS:
            tests += tally.passed + tally.failed
    print("== sum")
    for name, seconds, tally in times:
        print(f"  {name}: {tally.passed} passed, {tally.failed} failed, {len(tally.skipped)} skipped, {seconds:.1f} s")
    print(f"  all parts: {sum(t[1] for t in times):.1f} s")
    for line in total.skipped:
        print(f"  skipped: {line}")
    has_none = TEST_PARTS & set(parts) and tests == 0
    if has_none:
        print("  no test ran")
    tail = f", {len(total.skipped)} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {total.failed} failed{tail}")
    return 1 if total.failed or has_none else 0


if __name__ == "__main__":
    sys.exit(main())
