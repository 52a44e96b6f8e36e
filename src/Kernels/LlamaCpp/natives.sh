#!/usr/bin/env bash
# Brings llama.cpp's prebuilt libraries: natives.sh OUTPUT_FILE
# Writes to OUTPUT_FILE the folder that holds them, or an empty line where there are none for this platform.
# They come from the npm package pinned in natives.lock, are checked against its sha512, and kept in the user's cache.
# Two builds at once are safe: a folder appears complete, by rename, or not at all.
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

# Metal and BLAS stay out: the only device of this engine is the CPU. The rest is node's own glue.
wanted() {
  case "$1" in
    libllama-common*|libggml-metal*|libggml-blas*) return 1 ;;
    libllama*|libggml*) return 0 ;;
    *) return 1 ;;
  esac
}

if [ ! -d "$folder" ]; then
  if ! command -v npm >/dev/null 2>&1; then
    echo "error: npm is needed once, to bring $name@$version; install Node.js (Debian: apt-get install npm; macOS: brew install node)." >&2
    exit 1
  fi
  mkdir -p "$cache"
  scratch="$(mktemp -d "$cache/bring.XXXXXX")"
  trap 'rm -rf "$scratch"' EXIT
  echo "Bringing $name@$version"
  (cd "$scratch" && npm pack "$name@$version" --ignore-scripts --silent >/dev/null)
  tarball="$(ls "$scratch"/*.tgz)"
  got="sha512-$(node -e 'const c=require("crypto"),f=require("fs");process.stdout.write(c.createHash("sha512").update(f.readFileSync(process.argv[1])).digest("base64"))' "$tarball")"
  if [ "$got" != "$integrity" ]; then
    echo "error: $name@$version has the checksum $got, not the pinned $integrity." >&2
    exit 1
  fi
  mkdir "$scratch/unpacked" "$scratch/natives"
  tar -xzf "$tarball" -C "$scratch/unpacked"
  for file in "$scratch/unpacked/package/bins/$platform"/*; do
    if wanted "$(basename "$file")"; then mv "$file" "$scratch/natives/"; fi
  done
  # rename(2) refuses to replace a folder with files in it: then the other build was first, with the same content.
  node -e 'try{require("fs").renameSync(process.argv[1],process.argv[2])}catch(e){if(!["ENOTEMPTY","EEXIST"].includes(e.code))throw e}' \
    "$scratch/natives" "$folder"
fi
printf '%s\n' "$folder" >"$output"
