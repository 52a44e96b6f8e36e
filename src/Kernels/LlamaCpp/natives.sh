#!/usr/bin/env bash
# Brings llama.cpp's prebuilt libraries: natives.sh OUTPUT_FILE
# Writes to OUTPUT_FILE the folder that holds them, or an empty line where there are none for this platform.
# They come from the npm package pinned in natives.lock, are checked against its sha512, and kept in the user's cache.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
output="$1"

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Darwin-arm64) platform=mac-arm64-metal ;;
  *)
    echo "warning: no llama.cpp libraries are pinned for $(uname -s) on $(uname -m); the llama.cpp engine will be unavailable."
    echo >"$output"
    exit 0
    ;;
esac

name="" version="" integrity=""
while read -r a b c d; do
  if [ "$a" = "$platform" ]; then name="$b" version="$c" integrity="$d"; fi
done <"$here/natives.lock"
if [ -z "$integrity" ]; then
  echo "error: natives.lock has no line for $platform." >&2
  exit 1
fi

if [ "$(uname -s)" = Darwin ]; then cache="$HOME/Library/Caches"; else cache="${XDG_CACHE_HOME:-$HOME/.cache}"; fi
cache="$cache/egpufleet/npm"
folder="$cache/node-llama-cpp-$platform-$version"

bash "$here/../../../infra/npm-pack.sh" "$name" "$version" "$integrity" "$folder" "bins/$platform"
printf '%s\n' "$folder" >"$output"
