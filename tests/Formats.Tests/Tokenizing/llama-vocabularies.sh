#!/usr/bin/env bash
# Prints the folder with llama.cpp's own test vocabularies: ggml-vocab-*.gguf, each with texts (.inp) and their ids (.out).
# They come from the bundle of llama.cpp's sources inside the npm package pinned in llama-vocabularies.lock, are checked
# against its sha512 and kept in the user's cache.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
case "$(uname -s)" in
  Darwin) cache="$HOME/Library/Caches" ;;
  *) cache="${XDG_CACHE_HOME:-$HOME/.cache}" ;;
esac
cache="$cache/egpufleet/npm"

read -r name version integrity < <(grep -v '^#' "$here/llama-vocabularies.lock")
folder="$cache/llama-vocabularies-$version"
if [ ! -d "$folder" ]; then
  sources="$cache/$name-$version"
  bash "$here/../../../infra/npm-pack.sh" "$name" "$version" "$integrity" "$sources" llama >&2
  work="$(mktemp -d "$cache/.llama-vocabularies.XXXXXX")"
  trap 'rm -rf "$work"' EXIT
  git init --quiet --bare "$work/git"
  git -C "$work/git" fetch --quiet "$sources/gitRelease.bundle" HEAD
  git -C "$work/git" archive FETCH_HEAD models | tar -x -C "$work" -f -
  # A run in parallel may have been first, with the same content.
  mv "$work/models" "$folder" 2>/dev/null || [ -d "$folder" ]
fi
printf '%s\n' "$folder"
