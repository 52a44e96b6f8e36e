#!/usr/bin/env bash
# Brings llama.cpp's prebuilt libraries: natives.sh OUTPUT_FILE
# Writes to OUTPUT_FILE the folder that holds them, or an empty line where none are pinned for this platform. They come from
# the npm package pinned in natives.lock, are checked against its sha512 and kept in the user's cache.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
output="$1"

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 cache="${XDG_CACHE_HOME:-$HOME/.cache}" ;;
  Darwin-arm64) platform=mac-arm64-metal cache="$HOME/Library/Caches" ;;
  *)
    echo "natives.sh: warning: no llama.cpp libraries are pinned for $(uname -s) on $(uname -m); its worker will refuse to open."
    echo >"$output"
    exit 0
    ;;
esac

while read -r pinned name version integrity; do
  [ "$pinned" = "$platform" ] || continue
  folder="$cache/egpufleet/npm/node-llama-cpp-$platform-$version"
  [ -d "$folder" ] || echo "Bringing $name@$version"
  bash "$here/../../../infra/npm-pack.sh" "$name" "$version" "$integrity" "$folder" "bins/$platform"
  printf '%s\n' "$folder" >"$output"
  exit 0
done <"$here/natives.lock"
echo "natives.sh: natives.lock has no line for $platform" >&2
exit 1
