# SPDX-License-Identifier: MIT
"""What whole programs cost on the line: round trips, bytes, seconds at 115 200 baud. For bench_rpc.

The limits are the figures of unmodified programs on p11-kit's own server, plus what our token has
more to say: a program asks each mechanism and each object for itself.
"""

from collections import namedtuple

from harness import EmulatedBoard, Served, module

from p11board import control

BAUD = 115200
BITS_PER_BYTE = 10

# trips: at most so many round trips; size: at most so many bytes, both ways, frames included.
Operation = namedtuple("Operation", "name trips size words")
TOOL = ("pkcs11-tool", "--module", "{module}")
USER = (*TOOL, "-l", "--pin", "0000")
P11TOOL = ("p11tool", "--provider", "{module}")
KEYGEN = ("--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "bench")
PRIVATE = "pkcs11:object=bench;type=private?pin-source=file:{folder}/pin"
ENGINE = (
    "openssl",
    "dgst",
    "-engine",
    "pkcs11",
    "-keyform",
    "engine",
    "-sha256",
    "-sign",
    PRIVATE,
)
NSS = "sql:{folder}/nss"

OPERATIONS = (
    Operation("pkcs11-tool --list-slots", 10, 1000, (*TOOL, "-L")),
    Operation("pkcs11-tool --keypairgen", 66, 6500, (*USER, *KEYGEN)),
    Operation("pkcs11-tool --list-objects, public", 32, 3100, (*TOOL, "-O")),
    Operation("pkcs11-tool --list-objects", 56, 5600, (*USER, "-O")),
    Operation(
        "pkcs11-tool --sign",
        20,
        2100,
        (*USER, "--sign", "-m", "ECDSA", "--id", "01", "-i", "hash", "-o", "signature"),
    ),
    Operation(
        "pkcs11-tool --verify",
        18,
        1500,
        (
            *TOOL,
            "--verify",
            "-m",
            "ECDSA",
            "--id",
            "01",
            "-i",
            "hash",
            "--signature-file",
            "signature",
        ),
    ),
    Operation(
        "pkcs11-tool --generate-random",
        12,
        1000,
        (*TOOL, "--generate-random", "16", "-o", "random"),
    ),
    Operation(
        "pkcs11-tool --write-object",
        25,
        3000,
        (*USER, "--write-object", "cert.der", "--type", "cert", "--id", "01", "--label", "bench"),
    ),
    Operation("pkcs11-tool --test", 121, 11000, (*USER, "--test")),
    Operation("p11tool --list-tokens", 25, 3000, (*P11TOOL, "--list-tokens")),
    Operation("p11tool --list-all", 105, 11000, (*P11TOOL, "--list-all", "pkcs11:")),
    Operation(
        "p11tool --test-sign",
        78,
        7900,
        (*P11TOOL, "--login", "--test-sign", "pkcs11:object=bench;type=private"),
    ),
    Operation("openssl dgst -engine", 32, 3100, (*ENGINE, "-out", "document.sig", "hash")),
    Operation("ssh-keygen -D", 30, 3600, ("ssh-keygen", "-D", "{module}")),
    Operation(
        "NSS: certutil -K",
        114,
        11500,
        ("certutil", "-K", "-d", NSS, "-h", "micropython-pkcs11", "-f", "pin"),
    ),
)


def prepare(served):
    """Files that the programs need; not measured."""
    folder = served.folder
    (folder / "hash").write_bytes(bytes(range(32)))
    (folder / "pin").write_text("0000")
    (folder / "nss").mkdir()
    key = (
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "ca.key",
    )
    subject = ("-subj", "/CN=bench", "-outform", "DER", "-out", "cert.der")
    served.run("openssl", "req", "-x509", *key, *subject)
    served.run("certutil", "-N", "-d", f"sql:{folder}/nss", "--empty-password")
    add = ("-add", "Board", "-libfile", module(), "-force")
    served.run("modutil", "-dbdir", f"sql:{folder}/nss", *add, stdin="\n")


def measure(folder, build):
    """{name: figures} of every operation, on an emulated board and a daemon that counts."""
    board = EmulatedBoard(folder, build)
    served = Served(board, folder)
    names = {"module": module(), "folder": folder}
    pins = {"GNUTLS_PIN": "0000", "PKCS11_MODULE_PATH": module()}
    found = {}
    try:
        prepare(served)
        for operation in OPERATIONS:
            before = control.ask(served.socket, "status")["line"]
            served.run(*(word.format(**names) for word in operation.words), env=pins)
            after = control.ask(served.socket, "status")["line"]
            trips, sent, received = (after[key] - before[key] for key in before)
            found[operation.name] = {
                "round trips": trips,
                "bytes to the board": sent,
                "bytes from the board": received,
                "seconds at 115200 baud": round((sent + received) * BITS_PER_BYTE / BAUD, 3),
            }
    finally:
        served.stop()
        board.stop()
    return found


def missed(found):
    """Sentences about the operations that take more than they may."""
    for name, trips, size, _ in OPERATIONS:
        figures = found[name]
        both = figures["bytes to the board"] + figures["bytes from the board"]
        if figures["round trips"] > trips:
            yield f"{name}: {figures['round trips']} round trips (limit {trips})"
        if both > size:
            yield f"{name}: {both} bytes (limit {size})"
