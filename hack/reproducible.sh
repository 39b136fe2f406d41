#!/usr/bin/env bash
# Builds a release twice, from two clones in folders of different names, the second with an empty
# build cache, and compares the checksums of every file.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
version=$(git describe --tags --always) commit=$(git rev-parse HEAD)

for clone in a some/where/else; do
  git clone --quiet . "$work/$clone"
  git -C "$work/$clone" checkout --quiet "$commit" # somebody may commit meanwhile
  echo "--- building $version in $clone"
  if [ "$clone" != a ]; then
    export GOCACHE=$work/cache
  fi
  VERSION=$version make --no-print-directory -C "$work/$clone" release-dry-run >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
done
diff "$work/a/dist/release/checksums.txt" "$work/some/where/else/dist/release/checksums.txt" || {
  echo "reproducible: the builds differ" >&2
  exit 1
}
cat "$work/a/dist/release/checksums.txt"
echo "reproducible: $(wc -l <"$work/a/dist/release/checksums.txt") files are the same in both builds"
