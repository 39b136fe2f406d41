#!/usr/bin/env bash
# Writes the index of the decisions, docs/adr/README.md, from their titles.
set -euo pipefail
cd "$(dirname "$0")/../docs/adr"

{
  cat <<'TEXT'
# Decisions

Each is short, and says what was decided, why, and what it costs. A new one takes the next number. One that
is not right any more stays, and says which one took its place.

TEXT
  for file in 0*.md; do
    printf -- '- %s [%s](%s)\n' "${file:0:4}" "$(sed -n '1s/^# [0-9]*\. *//p' "$file")" "$file"
  done
} >README.md
if doubled=$(for file in 0*.md; do echo "${file:0:4}"; done | uniq -d | grep .); then
  echo "adr-index: two decisions have the number $doubled" >&2
  exit 1
fi
