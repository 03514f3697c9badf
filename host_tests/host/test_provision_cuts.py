# SPDX-License-Identifier: MIT
"""Provisioning cut off at every request: it resumes, and an identity in use stays one."""

import pytest
from host.provision_kit import DEMO, GUIDE, Device, carry_out, contents, identity, job

from p11board import plan, work
from p11board.errors import TransportProblem
from p11board.work import Renewal


def cuts(device, todo, at_end):
    """Provision, cut off at each request in turn, before and after it is carried out.

    at_end(): called after each run.
    """
    number, carried_out = 1, False
    while True:
        board = device.connect()
        device.cut_at = (number, carried_out)
        try:
            plan.run(work.Work(board, todo, {"id": "x"}).steps())
            at_end()
            return
        except TransportProblem:
            at_end()
        if carried_out:
            number += 1
        carried_out = not carried_out


def test_cut_off_after_any_number_of_requests_it_resumes_without_loss(device, tmp_path):
    """Each run is cut one request later than the one before; what was done stays done."""
    todo = job(tmp_path, DEMO)
    points = []

    def check():
        info = device.connect().info()["token"]
        if info["default_mode"] or not info["pins"]["user"]["set"]:
            return
        point, _ = identity(device)
        points.append(point)

    cuts(device, todo, check)
    assert set(contents(device)) == GUIDE
    assert len({p for p in points if p is not None}) == 1, "a key was made anew"
    made = points.index(points[-1])
    assert None not in points[made:]
    assert 3 < len(points)


def test_cut_off_everywhere_from_blank_it_always_ends_in_the_same_state(
    token, tmp_path, monkeypatch
):
    """From a blank board each time: one cut at every place, one run to resume."""
    import pkcs11
    from pal.pal import Pal
    from pkcs11.settings import Settings
    from pkcs11.token import Token

    todo = job(tmp_path, DEMO)
    place = 0
    while True:
        place += 1
        store = type(token.pal.store)()
        fresh = Token(Pal(store), Settings(iterations=2, clock=lambda: 0))
        device = Device(fresh)
        monkeypatch.setattr(pkcs11, "_token", fresh)
        board = device.connect()
        device.cut_at = (place, True)
        try:
            plan.run(work.Work(board, todo, {"id": "x"}).steps())
            break
        except TransportProblem:
            carry_out(device, todo, id="x")
            assert set(contents(device)) == GUIDE
            identity(device)
    assert place > 20


def test_the_old_identity_works_until_the_new_one_does(device, tmp_path):
    carry_out(device, job(tmp_path, DEMO), id="x")
    old = identity(device)
    seen = []

    def check():
        point, certificate = identity(device)
        assert certificate is not None
        seen.append(certificate == old[1])

    todo = job(tmp_path, DEMO, renewal=Renewal(new_key=True, force=True))
    # The first run that gets beyond the switch ends the test: forced again, it would renew again.
    number, carried_out = 1, False
    while not seen or seen[-1]:
        board = device.connect()
        device.cut_at = (number, carried_out)
        with pytest.raises(TransportProblem):
            plan.run(work.Work(board, todo, {"id": "x"}).steps())
        check()
        number, carried_out = number + carried_out, not carried_out
    assert len(seen) > 20
    carry_out(device, job(tmp_path, DEMO), id="x")
    new = identity(device)
    assert new[0] != old[0] and set(contents(device)) == GUIDE
