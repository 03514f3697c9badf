# SPDX-License-Identifier: MIT
"""What a TLS handshake costs on the board, in instructions: the third part of `make bench`.

The emulated Cortex-M4 under `-icount shift=0` (one instruction is one nanosecond of the board's time; it
does not pass while the board waits for the line). Mutual authentication with P-256 certificates to
`openssl s_server`, the client key in the token: with the own engine (signature, verification, ECDH), and
with the same firmware built with P256=mbedtls. Adds "tls" to build/bench.json.

Usage: bench_tls.py [--build DIR] [--json FILE]; `make firmware-mbedtls` first.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "host_tests" / "board")]

import bench_rpc  # noqa: E402
import tls_kit  # noqa: E402
from bench_p256 import add  # noqa: E402
from bench_rpc import BUILD, EmulatedBoard, counting_qemu  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402

from p11board import keys  # noqa: E402
from p11board.board import Board  # noqa: E402
from p11board.transport import Link  # noqa: E402

VERSIONS = ("1.2", "1.3")
SECONDS = 120

# The time that passes for the board while it waits for the host is taken out: what a read of the line
# waited for. `spent` is in ticks of the CPU's counter.
PROGRAM = """
import gc, time
from pkcs11 import tls, tunnel
now = time.ticks_cpu
waited = 0
def timed(read):
    def reading(buf, milliseconds):
        global waited
        got = read(buf, 0)
        if not got:
            t = now()
            got = read(buf, milliseconds)
            waited += (now() - t) & 0x3FFFFFFF
        return got
    return reading
sock = tunnel.connect()
sock._source._read = timed(sock._source._read)
tunnel.set_clock({time})
t = now()
context = tls.context(cert=bytes.fromhex({cert!r}), key="K", ca=bytes.fromhex({ca!r}), pin=bytearray(b"0000"))
made = (now() - t) & 0x3FFFFFFF
for attempt in range(2):
    gc.collect()
    waited = 0
    t = now()
    link = context.connect(sock, {name!r})
    spent = ((now() - t) & 0x3FFFFFFF) - waited
    link.close()
    if not attempt:
        sock = tunnel.connect()
        sock._source._read = timed(sock._source._read)
print("RESULT", made, spent)
"""


def der(certificate):
    """DER of a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


def measure(build):
    """{"context": instructions, "1.2": instructions of a handshake, "1.3": the same}."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        board = EmulatedBoard(folder, build, counting_qemu(folder, "on"))
        authority = tls_kit.Authority(folder / "ca")
        try:
            with Link(board.port) as link:
                point = bytes.fromhex(Board(link).keygen("K")["point"])
            own = authority.issue("board-1", keys.public_key(point))
            program = folder / "program.py"
            program.write_text(
                PROGRAM.format(
                    cert=der(own).hex(),
                    ca=der(authority.certificate).hex(),
                    name=tls_kit.SERVER,
                    time=int(own.not_valid_before_utc.timestamp()) + 86400,
                )
            )
            for version in VERSIONS:
                found["context"], found[version] = _connect(
                    board, folder, authority, program, version
                )
        finally:
            board.stop()
    return found


def _connect(board, folder, authority, program, version):
    option = "-tls" + version.replace(".", "_")
    with tls_kit.openssl_server(authority, folder, option) as port:
        words = [sys.executable, "-m", "p11board", *board.options(), "tunnel"]
        done = subprocess.run(
            [*words, f"127.0.0.1:{port}", "--run", str(program)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    if done.returncode:
        raise SystemExit(f"bench_tls: {done.stdout}{done.stderr}")
    return [int(word) * bench_rpc.INSTRUCTIONS_PER_TICK for word in done.stdout.split()[-2:]]


ROWS = (
    ("1.2", "handshake, TLS 1.2, mutual, P-256"),
    ("1.3", "handshake, TLS 1.3, mutual, P-256"),
    ("context", "pkcs11.tls.context(): token, login, key checked"),
)


def main():
    """Measure both firmwares, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=Path, default=BUILD, help="directory of the firmware")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    other = arguments.build.with_name(arguments.build.name + "-mbedtls")
    if not other.is_dir():
        parser.error(f"no {other}: run `make firmware-mbedtls`")
    engine, mbedtls = measure(arguments.build), measure(other)
    heads = ("engine", "mbedTLS", "mbedTLS / engine")
    print("%-52s" % "TLS on the board, instructions" + "".join("%18s" % head for head in heads))
    for key, title in ROWS:
        cells = (f"{engine[key]:,}", f"{mbedtls[key]:,}", f"{mbedtls[key] / engine[key]:.1f}")
        print("%-52s" % title + "".join("%18s" % cell for cell in cells))
    add(arguments.json, tls={"engine": engine, "mbedtls": mbedtls})
    return 0


if __name__ == "__main__":
    sys.exit(main())
