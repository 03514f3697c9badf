# SPDX-License-Identifier: MIT
"""What provisioning finds on the token: PINs, a label, objects, a missing seed; or another board."""

import pytest
from host.provision_kit import DEMO, GUIDE, SO, carry_out, contents, job, states, write

from p11board import plan, work
from p11board.errors import Problem, TokenError


def test_another_board_than_the_expected_one_is_not_touched(device):
    device.token.settings.serial = b"00AA"
    board = device.connect()
    assert work.check_serial(board, "00aa") == "00AA"
    with pytest.raises(work.WrongBoard, match="00AA.*expected was 00AB"):
        work.check_serial(board, "00AB")
    assert device.requests == ["info"]


def test_a_wrong_pin_costs_one_attempt_and_ends_the_run(device, tmp_path):
    todo = job(tmp_path, DEMO)
    carry_out(device, todo)
    write(tmp_path / "user.pin", b"654321")
    left = device.connect().info()["token"]["pins"]["user"]["tries_left"]
    with pytest.raises(TokenError, match="CKR_PIN_INCORRECT"):
        carry_out(device, todo)
    assert device.connect().info()["token"]["pins"]["user"]["tries_left"] == left - 1


def test_the_delay_after_a_power_cut_in_a_login_is_sat_out_and_a_longer_one_is_not(
    device, token, tmp_path, monkeypatch
):
    todo = job(tmp_path, DEMO)
    carry_out(device, todo)
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        token.now += 1000 * seconds

    monkeypatch.setattr(work.time, "sleep", sleep)
    token.pal.attempt(0)  # counted, then the power went
    token.keyring.load()
    carry_out(device, todo)
    assert slept == [1]
    for _ in range(5):
        token.pal.attempt(0)
    token.keyring.load()
    with pytest.raises(TokenError) as caught:
        carry_out(device, todo)
    assert "try again in 30 s" in caught.value.line() and slept == [1]


def test_objects_of_a_token_nobody_initialised_are_not_destroyed(device, tmp_path):
    device.connect().keygen()
    before = contents(device)
    with pytest.raises(Problem, match="holds 2 objects.*factory-reset"):
        try:
            carry_out(device, job(tmp_path, DEMO))
        except Problem as problem:
            raise Problem(problem.line()) from None
    assert contents(device) == before


def test_a_profile_may_leave_the_pins_alone(device, tmp_path):
    device.connect().keygen()
    carry_out(device, job(tmp_path, DEMO, changes=[("token.initialise", "false")]))
    assert device.connect().info()["token"]["default_mode"]
    assert {(o["label"], o["class"]) for o in device.connect().objects()} == GUIDE


def test_a_token_with_another_label_is_left_alone(device, tmp_path):
    carry_out(device, job(tmp_path, DEMO, changes=[("token.label", "line 1")]))
    with pytest.raises(Problem, match="is called 'line 1', the profile says 'line 2'"):
        carry_out(device, job(tmp_path, DEMO, changes=[("token.label", "line 2")]))
    assert device.writes == []


def test_a_cut_between_init_token_and_init_pin_is_repaired_by_the_security_officer(
    device, tmp_path
):
    import pkcs11

    app = pkcs11.application()
    app.C_Initialize()
    app.C_InitToken(1, bytearray(SO), "micropython-pkcs11")
    app.C_Finalize()
    _, outcomes = carry_out(device, job(tmp_path, DEMO))
    assert states(outcomes)["token"] == plan.DONE
    assert states(outcomes)["user-pin"] == plan.APPLIED
    assert set(contents(device)) == GUIDE


def test_a_board_without_entropy_source_gets_its_seed_first(device, tmp_path, monkeypatch):
    from pal import nv_seed

    given = []
    board = device.connect()
    facts = board.info()
    facts["entropy"]["seed"] = {"generation": 0}
    monkeypatch.setattr(nv_seed, "needed", lambda: True)
    monkeypatch.setattr(nv_seed, "provision", lambda pal, seed: given.append(bytes(seed)) or 1)
    done = work.Work(board, job(tmp_path, DEMO), {})
    step = done.steps()[0]
    assert step.name == "seed" and not step.check()
    assert "generation 1" in step.apply()
    assert len(given[0]) == 64
