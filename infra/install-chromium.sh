#!/bin/bash
# Installs Chromium for the browser tests where that needs no question asked: Debian and its kin, as root.
# Elsewhere it says how and ends with status 0: the browser tests then skip, visibly.
set -eu

for name in chromium chromium-browser google-chrome-stable google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then
    exit 0
  fi
done

if [ "$(uname -s)" = Darwin ]; then
  for app in Chromium "Google Chrome"; do
    if [ -x "/Applications/$app.app/Contents/MacOS/$app" ]; then
      exit 0
    fi
  done
  echo "No Chromium found, so the browser tests skip. To run them: brew install --cask chromium" >&2
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
  echo "No Chromium found, so the browser tests skip. To run them, install your system's chromium package." >&2
  exit 0
fi

echo "Installing Chromium for the browser tests (apt-get install chromium fonts-inter)." >&2
export DEBIAN_FRONTEND=noninteractive
if ! apt-get install -y -q --no-install-recommends chromium fonts-inter >/dev/null 2>&1; then
  apt-get update -q >/dev/null 2>&1 || true
  if ! apt-get install -y -q --no-install-recommends chromium fonts-inter >/dev/null; then
    echo "Chromium could not be installed, so the browser tests skip." >&2
  fi
fi
