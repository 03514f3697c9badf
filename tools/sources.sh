#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fetches the sources the firmware is built from: Debian's packages micropython and mbedtls of
# trixie, verified by apt, into build/src. Needs apt and dpkg-dev, no root, and writes nothing
# outside build/. Does nothing when they are there; --update looks for newer ones,
# --mirrors lists the mirrors it would use.
#
# apt runs on a configuration of its own (build/apt): its own lists, its own cache and one source
# line, with the mirror this machine already uses. DEBIAN_MIRROR=URL overrides the mirror.
set -euo pipefail

suite=trixie
packages=(micropython mbedtls)
declare -A wanted=([micropython]=1.25. [mbedtls]=3.6.) # beginning of the version the build knows

root=$(cd "$(dirname "$0")/.." && pwd)
src=$root/build/src
apt=$root/build/apt
log=$apt/log
etc=${APT_ETC:-/etc/apt} # the machine's own configuration

fail() {
    echo "sources: $*" >&2
    exit 1
}

complete() {
    for package in "${packages[@]}"; do
        [ -d "$src/$package/" ] || return 1
    done
}

# Mirrors of this machine's Debian sources, in order; security and third-party archives left out.
# Reads both formats: one line ("deb [options] URI suite component…") and deb822 stanzas.
mirrors() {
    local names='^(bookworm|trixie|forky|stable|testing|sid|unstable)$'
    shopt -s nullglob
    local lists=("$etc"/sources.list "$etc"/sources.list.d/*.list)
    local stanzas=("$etc"/sources.list.d/*.sources)
    local file
    for file in "${lists[@]}"; do
        [ -r "$file" ] || continue
        sed -E 's/#.*//; s/\[[^]]*\]//' "$file" |
            awk -v names="$names" '$1 ~ /^deb(-src)?$/ && $3 ~ names && $4 == "main" { print $2 }'
    done
    for file in "${stanzas[@]}"; do
        [ -r "$file" ] || continue
        awk -v names="$names" '
            function finish(   n, i, list, ours) {
                n = split(field["suites"], list)
                for (i = 1; i <= n; i++) if (list[i] ~ names) ours = 1
                if (ours && field["components"] ~ /(^| )main( |$)/ && field["enabled"] !~ /no/) {
                    n = split(field["uris"], list)
                    for (i = 1; i <= n; i++) print list[i]
                }
                delete field
                key = ""
            }
            /^#/ { next }
            /^[ \t]*$/ { finish(); next }
            /^[ \t]/ { field[key] = field[key] " " $0; next }
            {
                key = tolower($0)
                sub(/:.*/, "", key)
                sub(/^[^:]*:[ \t]*/, "")
                field[key] = $0
            }
            END { finish() }' "$file"
    done
}

debian_mirrors() {
    if [ -n "${DEBIAN_MIRROR:-}" ]; then
        echo "$DEBIAN_MIRROR"
    else
        mirrors | awk '/^(https?|ftp|file|mirror)[+:]/ && !seen[$0]++'
    fi
}

keyring() {
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        if [ -r "$file" ]; then
            echo "$file"
            return
        fi
    done
    fail "no Debian keyring; install the package debian-archive-keyring"
}

# A private apt. Read after the system's configuration, so that a proxy set there is used, and
# hooks set there, which expect to handle the system's lists, are dropped.
configure() {
    mkdir -p "$apt"/{lists/partial,cache/archives/partial,etc}
    : >"$apt/etc/status"
    cat >"$apt/etc/apt.conf" <<EOF
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/etc/status";
Dir::Cache "$apt/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$apt/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Log "$apt";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
#clear Acquire::IndexTargets;
Acquire::IndexTargets::deb-src::Sources {
    MetaKey "\$(COMPONENT)/source/Sources";
    ShortDescription "Sources";
    Description "\$(RELEASE)/\$(COMPONENT) Sources";
};
EOF
    # apt as root downloads as the user _apt, who may not reach this checkout.
    if [ "$(id -u)" = 0 ]; then
        echo 'APT::Sandbox::User "root";' >>"$apt/etc/apt.conf"
    fi
}

private_apt() {
    local tool=$1
    shift
    LC_ALL=C "$tool" -c "$apt/etc/apt.conf" -q "$@"
}

update_lists() {
    local mirror key tried=0
    key=$(keyring)
    for mirror in $(debian_mirrors); do
        tried=1
        echo "sources: reading the package list of $suite from $mirror"
        echo "deb-src [signed-by=$key] $mirror $suite main" >"$apt/etc/sources.list"
        if private_apt apt-get update -o APT::Update::Error-Mode=any >"$log" 2>&1; then
            return
        fi
    done
    [ "$tried" = 1 ] || fail "no Debian mirror in $etc; give one with DEBIAN_MIRROR=URL"
    if grep -q NO_PUBKEY "$log"; then
        fail "this machine does not know $suite's signing key; upgrade debian-archive-keyring"
    fi
    if grep -qE 'Could not (resolve|connect)|Temporary failure|Connection (failed|refused|timed out)|unreachable' "$log"; then
        fail "no network: cannot reach $mirror; connect and run this again ($log)"
    fi
    fail "apt cannot read $suite from $mirror: $(grep -m1 -E '^(E|W|Err)' "$log" || true) ($log)"
}

# Downloads (resumable, checked by apt), unpacks beside, renames: build/src never holds half a tree.
fetch() {
    local package=$1 version stem
    version=$(private_apt apt-cache showsrc --only-source "$package" 2>>"$log" | sed -n 's/^Version: //p' | sort -V | tail -1)
    case $version in
    "${wanted[$package]}"*) ;;
    "") fail "$suite has no source package $package ($log)" ;;
    *) fail "$suite has $package $version, this build knows ${wanted[$package]}x; give your own with ${package^^}=" ;;
    esac
    stem=$package-$version
    if [ ! -d "$src/$stem" ]; then
        echo "sources: fetching $package $version"
        mkdir -p "$apt/download"
        (cd "$apt/download" && private_apt apt-get source --download-only --only-source "$package=$version") >"$log" 2>&1 ||
            fail "downloading $package failed: $(grep -m1 '^E:' "$log" || true) ($log); run this again to resume"
        rm -rf "$src/.new"
        mkdir -p "$src"
        # The files are those of the signed list (apt checked); dpkg-source checks them once more.
        dpkg-source --no-copy -x "$apt/download/${package}_${version#*:}.dsc" "$src/.new" >"$log" 2>&1 ||
            fail "unpacking $package failed: $(tail -1 "$log") ($log)"
        mv "$src/.new" "$src/$stem"
    fi
    ln -sfn "$stem" "$src/.link"
    mv -T "$src/.link" "$src/$package"
}

case ${1:-} in
--mirrors)
    debian_mirrors
    exit
    ;;
"" | --update) ;;
*) fail "unknown argument $1; usage: tools/sources.sh [--update | --mirrors]" ;;
esac
if complete && [ "${1:-}" != --update ]; then
    exit 0
fi
for tool in apt-get dpkg-source; do
    command -v "$tool" >/dev/null || fail "$tool is missing: run tools/deps.sh, or give MICROPYTHON= and MBEDTLS="
done
configure
exec 9>"$apt/lock"
flock 9 # two builds at once fetch once
if complete && [ "${1:-}" != --update ]; then
    exit 0
fi
update_lists
for package in "${packages[@]}"; do
    fetch "$package"
done
rm -rf "$apt/download"
echo "sources: $(readlink "$src/micropython"), $(readlink "$src/mbedtls")"
