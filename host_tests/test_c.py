# SPDX-License-Identifier: MIT
"""The C core on the host: builds host_tests/c and reports each of its tests here.

Three binaries: all suites under address and undefined-behaviour sanitizers; the search for
secrets left in memory, built as for the firmware; deterministic signatures.
"""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
C = ROOT / "host_tests" / "c"
OUT = ROOT / "build" / "host_c"
LISTED = re.compile(r"^    LIST\((\w+)\)", re.M)
BINARIES = {"test_residue.c": "plain", "test_rfc6979.c": "rfc6979"}


def _tests():
    for source in sorted(C.glob("test_*.c")):
        for name in LISTED.findall(source.read_text(encoding="utf-8")):
            yield pytest.param(BINARIES.get(source.name, "checked"), name, id=name)


@cache
def _build():
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        pytest.fail("no C compiler: install gcc (make setup does)")
    one_build = [str(ROOT / "tools" / "one_build.sh"), str(OUT)]
    make = [*one_build, "make", "-s", "-j2", "-C", str(C)]
    return subprocess.run(make, capture_output=True, text=True)


@cache
def _run(binary):
    done = subprocess.run([str(OUT / binary / "tests")], capture_output=True, text=True)
    return done.stdout, done.stderr


def test_the_c_core_builds_without_a_warning():
    done = _build()
    assert done.returncode == 0, done.stderr


def test_a_build_without_source_and_without_seed_path_is_refused():
    header = ROOT / "firmware" / "cmodules" / "p11crypto" / "entropy.h"
    for source, seed in ((True, 0), (True, 1), (False, 1), (False, 0)):
        flags = ["-DP11_NO_TRNG=%d" % (not source), "-DP11_NV_SEED=%d" % seed]
        done = subprocess.run(["cc", "-E", *flags, str(header)], capture_output=True, text=True)
        assert (done.returncode == 0) == (source or bool(seed)), done.stderr
        assert done.returncode == 0 or "no entropy" in done.stderr


@pytest.mark.parametrize("binary, name", list(_tests()))
def test_c(binary, name):
    if _build().returncode != 0:
        pytest.fail("the C core does not build")
    stdout, stderr = _run(binary)
    assert "\nok %s\n" % name in "\n" + stdout, stdout[-2000:] + stderr[-4000:]


def test_the_c_core_passes_with_mbedtls_as_its_only_backend():
    out = OUT.parent / "host_c_mbedtls"
    program = out / "checked" / "tests"
    make = ["make", "-s", "-j2", "-C", str(C), "P256=mbedtls", f"OUT={out}", str(program)]
    done = subprocess.run(make, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert not list((out / "checked").glob("core_p256/*"))  # the engine is not in it
    names = {f"ok {name}" for source in C.glob("test_*.c") for name in _checked(source)}
    assert names <= set(done.stdout.splitlines())


def _checked(source):
    return LISTED.findall(source.read_text()) if source.name not in BINARIES else []


def test_the_library_brings_no_name_of_mbedtls_that_another_copy_could_clash_with():
    if _build().returncode != 0:
        pytest.fail("the C core does not build")
    objects = sorted(str(p) for p in (OUT / "plain").glob("tls_*.o"))
    assert len(objects) > 10
    nm = ["nm", "-g", "--defined-only", *objects]
    lines = subprocess.run(nm, capture_output=True, text=True).stdout.splitlines()
    symbols = [line.split()[-1] for line in lines if len(line.split()) == 3]
    assert symbols and [s for s in symbols if not s.startswith("p11_")] == []
