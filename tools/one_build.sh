#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/one_build.sh DIR COMMAND...: runs a build into DIR, one at a time in this checkout, in a way
# that a kill or a power cut cannot spoil the next one. A make that ends by itself, Ctrl-C included,
# has deleted what it was writing; for one that could not, everything it had written is deleted.
set -euo pipefail

dir=$1
shift
lock=$(cd "$(dirname "$0")/.." && pwd)/build/lock
unfinished=$dir/.unfinished

mkdir -p "$dir" "$(dirname "$lock")"
exec 9>"$lock"
flock 9
if [ -e "$unfinished" ]; then
    echo "the last build in $dir was cut off: repeating it"
    find "$dir" -type f -newer "$unfinished" -delete
fi
touch "$unfinished"
trap : INT TERM # the command gets the signal from the terminal, too; its end is awaited
status=0
"$@" 9>&- || status=$?
rm -f "$unfinished"
exit "$status"
