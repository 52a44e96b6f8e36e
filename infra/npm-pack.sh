#!/usr/bin/env bash
# Fetches one npm package's archive, checks its bytes against a pinned integrity and unpacks it.
#   npm-pack.sh NAME VERSION INTEGRITY DESTDIR [SUBDIR]
# DESTDIR appears complete or not at all; when it is there already nothing is done. With SUBDIR only that folder of
# the package becomes DESTDIR. INTEGRITY is "sha512-<base64>" as npm writes it. No install script of a package runs.
set -euo pipefail

fail() {
  echo "error: $1" >&2
  exit 1
}

[ $# -ge 4 ] || fail "usage: npm-pack.sh NAME VERSION INTEGRITY DESTDIR [SUBDIR]"
name=$1 version=$2 integrity=$3 destination=$4 subdir=${5:-}
[ -d "$destination" ] && exit 0
command -v npm >/dev/null 2>&1 || fail "npm is missing; install Node.js (it brings npm) and run again"

parent=$(dirname "$destination")
mkdir -p "$parent"
# Beside the destination, so that the last step is one rename on one file system.
work=$(mktemp -d "$parent/.npm-pack.XXXXXX")
trap 'rm -rf "$work"' EXIT

mkdir "$work/archive" "$work/tree"
npm pack "$name@$version" --pack-destination "$work/archive" --ignore-scripts --loglevel=error >/dev/null 2>"$work/npm.log" ||
  fail "cannot fetch $name@$version: $(tail -n 5 "$work/npm.log" | tr '\n' ' ')"
archive=$(ls "$work"/archive/*.tgz)

# node comes with npm, so nothing else is needed to compute the digest.
actual=$(node -e '
  const hash = require("crypto").createHash("sha512");
  hash.update(require("fs").readFileSync(process.argv[1]));
  console.log("sha512-" + hash.digest("base64"));
' "$archive")
[ "$actual" = "$integrity" ] || fail "$name@$version is not the pinned archive (wanted $integrity, got $actual)"

tar -xzf "$archive" -C "$work/tree"
[ -d "$work/tree/package/$subdir" ] || fail "$name@$version has no folder $subdir"
# rename(2) refuses to replace a folder with files in it: then a run in parallel was first, with the same content.
node -e '
  try {
    require("fs").renameSync(process.argv[1], process.argv[2]);
  } catch (e) {
    if (!["ENOTEMPTY", "EEXIST"].includes(e.code)) throw e;
  }
' "$work/tree/package/$subdir" "$destination" || fail "cannot write $destination"
