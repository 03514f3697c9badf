# SPDX-License-Identifier: MIT
"""tools/sources.sh: which mirrors it finds, and one clear line when it cannot go on."""

import os
import shutil
import subprocess

import pytest
from qemu_machine import ROOT

SCRIPT = ROOT / "tools" / "sources.sh"

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb http://one.example/debian/ bookworm main non-free-firmware # trailing words
deb-src http://one.example/debian/ bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://two.example/debian trixie main
deb http://security.example/debian-security bookworm-security main
deb http://updates.example/debian bookworm-updates main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb https://vendor.example/apt stable-vendor main
"""

DEB822 = """\
# Debian 13
Types: deb deb-src
URIs: mirror+file:/etc/apt/mirrors/debian.list
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
Enabled: no

Types: deb
URIs:
 http://three.example/debian
 # a comment inside
 http://four.example/debian
Suites: trixie
Components: contrib main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 main
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://security.example/debian-security
Suites: trixie-security
Components: main
"""


@pytest.fixture
def checkout(tmp_path):
    """A directory with the script alone, and an apt configuration to read."""
    (tmp_path / "tools").mkdir()
    shutil.copy(SCRIPT, tmp_path / "tools")
    (tmp_path / "etc" / "sources.list.d").mkdir(parents=True)
    return tmp_path


def run(checkout, *arguments, **more):
    environment = {**os.environ, "APT_ETC": str(checkout / "etc"), **more}
    environment.pop("DEBIAN_MIRROR", None) if "DEBIAN_MIRROR" not in more else None
    return subprocess.run(
        [checkout / "tools" / "sources.sh", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_mirrors_of_both_formats_are_found_in_order(checkout):
    (checkout / "etc" / "sources.list").write_text(ONE_LINE)
    (checkout / "etc" / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert run(checkout, "--mirrors").stdout.split() == [
        "http://one.example/debian/",
        "https://two.example/debian",
        "mirror+file:/etc/apt/mirrors/debian.list",
        "http://three.example/debian",
        "http://four.example/debian",
    ]


def test_a_mirror_can_be_given(checkout):
    (checkout / "etc" / "sources.list").write_text(ONE_LINE)
    done = run(checkout, "--mirrors", DEBIAN_MIRROR="http://mine.example/debian")
    assert done.stdout.split() == ["http://mine.example/debian"]


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt")
@pytest.mark.parametrize(
    "mirror, words",
    [
        (None, "no Debian mirror"),
        ("http://127.0.0.1:9/debian", "no network: cannot reach http://127.0.0.1:9/debian"),
    ],
)
def test_what_is_missing_is_said_in_one_line(checkout, mirror, words):
    done = run(checkout, **({"DEBIAN_MIRROR": mirror} if mirror else {}))
    assert done.returncode == 1
    assert done.stderr.startswith("sources: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (checkout / "build" / "src").exists()


def test_sources_that_are_there_are_left_alone(checkout):
    for name in ("micropython", "mbedtls"):
        (checkout / "build" / "src" / name).mkdir(parents=True)
    done = run(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
