#!/usr/bin/env bash
# krew-manifest.sh VERSION FOLDER: prints .krew.yaml filled in for the archives in the folder, as
# krew-release-bot does for the index of krew. With RELEASES set, the archives are there instead of with
# the releases of the repository.
set -euo pipefail
version=$1 folder=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."

while IFS= read -r line; do
  line=${line//'{{ .TagName }}'/$version}
  if [[ $line =~ ^(\ *)\{\{addURIAndSha\ \"([^\"]+)\" ]]; then
    indent=${BASH_REMATCH[1]} uri=${BASH_REMATCH[2]}
    file=${uri##*/}
    sum=$(sha256sum <"$folder/$file")
    printf '%suri: %s\n%ssha256: %s\n' "$indent" "${RELEASES:-${uri%/*}}/$file" "$indent" "${sum%% *}"
  elif [[ $line != '#'* ]]; then
    printf '%s\n' "$line"
  fi
done <.krew.yaml
