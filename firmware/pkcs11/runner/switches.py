# SPDX-License-Identifier: MIT
"""What a run may do, by the meaning of the guide's macros.

Promises that a Switches object is consistent: what cannot be together is a ValueError, as it is a
compile error in the guide.
"""

import p11crypto

# label of the guide by role
LABELS = {
    "private": b"Device Priv TLS Key",
    "public": b"Device Pub TLS Key",
    "certificate": b"Device Cert",
    "code": b"Code Verify Key",
    "jitp": b"JITP Cert",
    "root": b"Root Cert",
}

IMPORT = "import"  # the ways a key comes onto the device
GENERATE = "generate"
PREPROVISIONED = "pre-provisioned"


class Switches:
    """import_keys, generate, preprovisioned, ec, rsa: bool; rsa None: wherever it can be. tasks:
    interleaved sessions standing for threads (1..14); loops: of each. paths: random walks of the
    model. labels: {role: text} of keys that are on the device already (preprovisioned), which are
    of one type: EC unless ec is off."""

    def __init__(
        self,
        import_keys=True,
        generate=True,
        preprovisioned=False,
        ec=True,
        rsa=None,
        tasks=2,
        loops=10,
        paths=2100,
        labels=None,
    ):
        offered = hasattr(p11crypto, "rsa_import")
        if rsa and not offered:
            raise ValueError("this firmware has no RSA")
        if rsa and ec and preprovisioned:
            raise ValueError("pre-provisioned keys are of one type: switch RSA or EC off")
        if rsa is None:
            rsa = offered and not (ec and preprovisioned)
        if not ec and not rsa:
            raise ValueError("neither RSA nor EC is on")
        if not preprovisioned and not import_keys and not (generate and ec):
            raise ValueError("neither import nor generate (of EC keys) is on")
        if not 1 <= tasks <= 14 or loops < 1 or paths < 0:
            raise ValueError("tasks 1..14, loops at least 1, paths at least 0")
        self.ec = ec
        self.rsa = rsa
        self.preprovisioned = preprovisioned
        self.import_keys = import_keys and not preprovisioned
        self.generate = generate and ec and not preprovisioned
        self.tasks = tasks
        self.loops = loops
        self.paths = paths
        self.labels = dict(LABELS)
        for role, label in (labels or {}).items():
            if role not in LABELS:
                raise ValueError("no label %s" % role)
            self.labels[role] = label.encode() if isinstance(label, str) else bytes(label)

    def methods(self):
        """Return the ways to provision that are on."""
        if self.preprovisioned:
            return (PREPROVISIONED,)
        pairs = ((self.import_keys, IMPORT), (self.generate, GENERATE))
        return tuple([method for on, method in pairs if on])

    def line(self):
        """Return one line that says what is on."""
        types = " ".join([name for on, name in ((self.ec, "EC"), (self.rsa, "RSA")) if on])
        words = " ".join(self.methods())
        return "%s, %s, %d sessions x %d" % (types, words, self.tasks, self.loops)
