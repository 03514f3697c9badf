#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building and emulating need and that are missing, and nothing
# when none is. Asks for sudo only then. Each is tested for what it is needed for, so a compiler or
# Python from elsewhere counts.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
log=$root/build/deps.log

fail() {
    echo "deps: $*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null; }
# shellcheck disable=SC2086 # a compiler may come with options
includes() { echo "#include <$2>" | $1 -E - >/dev/null 2>&1; }
includes_riscv() { includes 'riscv64-unknown-elf-gcc --specs=picolibc.specs' "$1"; }
emulates() { qemu-system-arm -M help 2>/dev/null | grep -q '^ast1030-evb'; }
makes_venvs() { "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null; }
has_softhsm() { [ -e /usr/lib/softhsm/libsofthsm2.so ] || compgen -G '/usr/lib/*/softhsm/libsofthsm2.so'; }
knows_trixie() { compgen -G '/usr/share/keyrings/debian-archive-trixie-*' >/dev/null; }

# package, test that it is not needed
table=(
    'gcc                       has gcc'
    'libc6-dev                 includes gcc stdio.h'
    'gcc-arm-none-eabi         has arm-none-eabi-gcc'
    'libnewlib-arm-none-eabi   includes arm-none-eabi-gcc string.h'
    'qemu-system-arm           has qemu-system-arm'
    'dpkg-dev                  has dpkg-source'
    'python3-venv              makes_venvs'
    'debian-archive-keyring    knows_trixie'
)

# What only the tests need: `tools/deps.sh test`.
test_table=(
    'gcc-riscv64-unknown-elf   has riscv64-unknown-elf-gcc'
    'picolibc-riscv64-unknown-elf  includes_riscv stdio.h'
    'qemu-system-misc          has qemu-system-riscv32'
    'valgrind                  has valgrind'
    'cmake                     has cmake'
    'opensc                    has pkcs11-tool'
    'p11-kit                   has p11-kit'
    'p11-kit-modules           compgen -G /usr/lib/*/pkcs11/p11-kit-client.so'
    'gnutls-bin                has p11tool'
    'openssl                   has openssl'
    'libengine-pkcs11-openssl  compgen -G /usr/lib/*/engines-3/pkcs11.so'
    'libnss3-tools             has certutil'
    'ent                       has ent'
    'dieharder                 has dieharder'
    'curl                      has curl'
    'softhsm2                  has_softhsm'
    'git                       has git'
    'openssh-client            has ssh-keygen'
    'openssh-server            [ -x /usr/sbin/sshd ]'
    'pinentry-curses           has pinentry-curses'
    'mosquitto                 [ -x /usr/sbin/mosquitto ]'
)
if [ "${1:-}" = test ]; then
    table+=("${test_table[@]}")
fi

missing=()
for row in "${table[@]}"; do
    read -r package test <<<"$row"
    # Tests are words, never input from outside.
    # shellcheck disable=SC2086
    $test >/dev/null || missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
    has apt-get || fail "missing: ${missing[*]} (Debian's names); install them and run this again"
    if [ "$(id -u)" = 0 ]; then
        run=(env)
    elif has sudo; then
        run=(sudo env)
    else
        fail "missing, and no sudo here; as root run: apt-get install ${missing[*]}"
    fi
    mkdir -p "$(dirname "$log")"
    apt=("${run[@]}" DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -o DPkg::Lock::Timeout=300)
    echo "deps: installing ${missing[*]}"
    "${apt[@]}" update >"$log" 2>&1 || true # one third-party source may fail; the install decides
    if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 </dev/null; then
        if grep -qE 'Could not (resolve|connect)|Temporary failure|Connection (failed|refused|timed out)|unreachable' "$log"; then
            fail "no network: cannot download ${missing[*]}; connect and run this again ($log)"
        fi
        fail "apt-get install ${missing[*]} failed: $(grep -m1 '^E:' "$log" || tail -1 "$log") ($log)"
    fi
fi

emulates || fail "this qemu-system-arm does not know the machine ast1030-evb; QEMU 7.2 or newer does"
