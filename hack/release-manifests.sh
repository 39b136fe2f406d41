#!/usr/bin/env bash
# Writes into FOLDER what a release installs, with the images by their digests: install.yaml, and the Helm chart
# as the folder ecotracker-operator. MANAGER and METER are NAME@DIGEST.
#
#   hack/release-manifests.sh VERSION MANAGER METER FOLDER
set -euo pipefail
version=$1 manager=$2 meter=$3 out=$(cd "$4" && pwd)
cd "$(dirname "$0")/.."

bin/kustomize build config/default |
  sed -e "s|image: ecotracker-operator:dev\$|image: $manager|" -e "s|--meter-image=ecotracker-meter:dev\$|--meter-image=$meter|" >"$out/install.yaml"

chart=$out/ecotracker-operator
cp -rL charts/ecotracker-operator "$chart"
semver=${version#v}
[[ $semver =~ ^[0-9]+\.[0-9]+\.[0-9]+(-.*)?$ ]] || semver=0.0.0-dev.g$semver
sed -i -e "s|^version: .*|version: $semver|" -e "s|^appVersion: .*|appVersion: $version|" "$chart/Chart.yaml"

# name PART IMAGE: the values of a part, which end with an empty line.
name() {
  sed -i -e "/^$1:/,/^\$/ s|^  repository: .*|  repository: ${2%@*}|" -e "/^$1:/,/^\$/ s|^  digest: .*|  digest: ${2#*@}|" "$chart/values.yaml"
}
name image "$manager"
name meter "$meter"
