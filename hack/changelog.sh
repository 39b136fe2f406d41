#!/usr/bin/env bash
# Prints the section of CHANGELOG.md for a version: hack/changelog.sh v0.1.0. What is no tag, such as
# v0.1.0-3-gabcdef, gets the section Unreleased.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1#v}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-(alpha|beta|rc)\.[0-9]+)?$ ]] || version=Unreleased
section=$(awk -v want="## [$version]" 'index($0, "## [") == 1 {inside = index($0, want) == 1; next} inside' CHANGELOG.md)
if [ -z "${section//[[:space:]]/}" ]; then
  echo "CHANGELOG.md has no section [$version], or nothing in it" >&2
  exit 1
fi
printf '%s\n' "$section" | sed -e '/./,$!d'
