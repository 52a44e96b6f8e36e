#!/usr/bin/env bash
# Brings the JavaScript that renders chat templates: jinja.sh OUTPUT_FILE
# Writes to OUTPUT_FILE the folder that holds index.cjs. It comes from the npm package pinned in jinja.lock, is checked
# against its sha512 and kept in the user's cache.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
output="$1"

case "$(uname -s)" in
  Darwin) cache="$HOME/Library/Caches" ;;
  *) cache="${XDG_CACHE_HOME:-$HOME/.cache}" ;;
esac

read -r name version integrity <<<"$(grep -v '^#' "$here/jinja.lock")"
folder="$cache/egpufleet/npm/huggingface-jinja-$version"
[ -d "$folder" ] || echo "Bringing $name@$version"
bash "$here/../../../../infra/npm-pack.sh" "$name" "$version" "$integrity" "$folder" dist
printf '%s\n' "$folder" >"$output"
