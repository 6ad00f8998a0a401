#!/bin/sh
# Install the Debian packages that are missing, with sudo when not root. Needs no network when none is missing.
# Usage: scripts/apt.sh NEED PACKAGE[|PACKAGE…] …   NEED is `required` or `wanted`.
# ASLEEP names packages whose services must not run because of us: tests start such programs by themselves.
set -eu
need=$1
shift
missing=
for choice in "$@"; do
    have=
    for package in $(echo "$choice" | tr '|' ' '); do
        if dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed'; then have=1; fi
    done
    [ -n "$have" ] || missing="$missing $choice"
done
[ -n "$missing" ] || exit 0

fail() {
    echo "outpost: $1" >&2
    if [ "$need" = wanted ]; then
        echo "outpost: going on without$missing" >&2
        exit 0
    fi
    exit 1
}

command -v apt-get >/dev/null || fail "these packages are missing and this is no Debian:$missing"
sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run as root, or install sudo; missing:$missing"
    sudo=sudo
fi
echo "outpost: installing$missing (apt)"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null || fail "apt-get update failed"
names=
for choice in $missing; do
    name=
    for package in $(echo "$choice" | tr '|' ' '); do
        if [ -z "$name" ] && apt-cache show "$package" >/dev/null 2>&1; then name=$package; fi
    done
    [ -n "$name" ] || fail "no package $choice here"
    names="$names $name"
done
# shellcheck disable=SC2086 # a list of package names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $names >/dev/null ||
    fail "apt-get install$names failed"
if [ -d /run/systemd/system ]; then
    for package in ${ASLEEP:-}; do
        case " $names " in *" $package "*) $sudo systemctl disable --quiet --now "$package" || true ;; esac
    done
fi
