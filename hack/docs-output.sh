#!/usr/bin/env bash
# Writes into the documents what kubectl carbon prints of the example cluster of its tests, and takes
# pictures of the HTML report with Chromium, if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go test ./cmd/kubectl-carbon -count=1 -run 'TestDocuments|TestThePublished' -update -page="$work/report.html"

if ! command -v chromium >/dev/null; then
  echo "There is no chromium: the pictures stay as they are." >&2
  exit 0
fi

# picture NAME WIDTH HEIGHT SCHEME: SCHEME is 0 for dark, 1 for light.
picture() {
  chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
    --blink-settings=preferredColorScheme="$4" --window-size="$2,$3" \
    --screenshot="$PWD/docs/images/$1.png" "file://$work/report.html" 2>/dev/null
}
picture report-light 1280 1600 1
picture report-dark 1280 1600 0
picture report-phone-light 390 2260 1
picture report-phone-dark 390 2260 0
