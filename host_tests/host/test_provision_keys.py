# SPDX-License-Identifier: MIT
"""Device keys that come from a file."""

import pytest
from cryptography.hazmat.primitives import serialization
from host.provision_kit import DEMO, FILES, carry_out, identity, job, key_pem, pem, write

from p11board import keys, plan

FORMS = {
    "PKCS#8": (serialization.PrivateFormat.PKCS8, None),
    "SEC1": (serialization.PrivateFormat.TraditionalOpenSSL, None),
    "encrypted PKCS#8": (serialization.PrivateFormat.PKCS8, b"secret"),
}

IMPORT = [("key.source", "file"), ("key.file", "{id}.key"), ("key.password_file", "password")]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_a_key_is_imported_in_every_form(device, tmp_path, ec_key, form, encoding):
    kind, password = FORMS[form]
    data = key_pem(ec_key, password, kind)
    if encoding == "DER":
        encryption = serialization.NoEncryption()
        if password:
            encryption = serialization.BestAvailableEncryption(password)
        data = ec_key.private_bytes(serialization.Encoding.DER, kind, encryption)
    write(tmp_path / "dev.key", data)
    write(tmp_path / "password", b"secret\n")
    carry_out(device, job(tmp_path, DEMO, changes=IMPORT), id="dev")
    assert identity(device)[0] == keys.point(ec_key.public_key())
    carry_out(device, job(tmp_path, DEMO, changes=IMPORT), id="dev")
    assert device.writes == []


def test_another_key_file_means_another_identity_and_the_old_one_stays_meanwhile(
    device, tmp_path, ec_key, ca
):
    files = FILES.replace('"ca.pem"', '"ca.pem", "demo-ca/root-ca.pem"')
    carry_out(device, job(tmp_path, DEMO), id="dev")
    old = identity(device)
    write(tmp_path / "dev.key", key_pem(ec_key))
    changes = IMPORT[:2]
    todo = job(tmp_path, files, changes=changes, export_csr=str(tmp_path / "csr"))
    _, outcomes = carry_out(device, todo, id="dev")
    assert outcomes[-1].state == plan.WAITING and identity(device) == old
    write(tmp_path / "cert", pem(ca.sign((tmp_path / "csr").read_bytes())))
    todo = job(tmp_path, files, changes=changes, import_cert=str(tmp_path / "cert"))
    carry_out(device, todo, id="dev")
    assert identity(device)[0] == keys.point(ec_key.public_key())
