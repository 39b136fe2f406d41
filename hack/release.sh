#!/usr/bin/env bash
# Builds everything that a release has, without a network, into dist/release: binaries, archives of
# the kubectl plugin as krew wants them, images as OCI layouts, SBOMs, the section of the changelog,
# and the checksums of it all. The same commit and version give the same bytes with the same Go:
# hack/reproducible.sh shows it. `make release-dry-run` calls it, and the release workflow.
set -euo pipefail
cd "$(dirname "$0")/.."

VERSION=${VERSION:-$(git describe --tags --always --dirty)}
# Where the images are published. The files to install name them by digest.
REGISTRY=${REGISTRY:-ghcr.io/ecotracker-dev/ecotracker-operator}
OUT=dist/release
EPOCH=$(git log -1 --format=%ct)
SBOM=$PWD/bin/cyclonedx-gomod
IMAGER=$PWD/bin/release-images

# Nothing of this machine may show in what is built.
unset GOFLAGS GOEXPERIMENT
export CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 LC_ALL=C TZ=UTC
umask 022

step() { printf '\n--- %s\n' "$*"; }

# build COMMAND OS ARCHITECTURE FILE
build() {
  GOOS=$2 GOARCH=$3 go build -trimpath -buildvcs=false -o "$4" \
    -ldflags="-s -w -buildid= -X github.com/ecotracker-dev/ecotracker-operator/internal/version.stamped=$VERSION" "./cmd/$1"
}

# sbom FILE: the modules of a Go binary, and the Go release, as CycloneDX.
sbom() {
  "$SBOM" bin -json -std -noserial -notimestamp -version "$VERSION" -output "$OUT/sbom/$(basename "$1").cdx.json" "$1" 2>/dev/null
}

# archive FILE FOLDER NAME...: what a folder has as a tar archive of which every byte is determined.
archive() {
  local file=$1 folder=$2
  shift 2
  tar --sort=name --mtime="@$EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --format=ustar \
    -C "$folder" -cf - "$@" | gzip -9 -n >"$file"
}

rm -rf "$OUT"
mkdir -p "$OUT/sbom" "$OUT/images" "$OUT/bin"
step "Release $VERSION with $(go env GOVERSION)"

for arch in amd64 arm64; do
  for command in manager meter; do
    echo "$command linux/$arch"
    build "$command" linux "$arch" "$OUT/bin/${command}_linux_$arch"
    sbom "$OUT/bin/${command}_linux_$arch"
  done
done

step "The kubectl plugin, for krew"
for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64; do
  os=${platform%/*} arch=${platform#*/} name=kubectl-carbon_${platform/\//_}
  binary=kubectl-carbon
  [ "$os" = windows ] && binary=kubectl-carbon.exe
  echo "$name.tar.gz"
  staging=$(mktemp -d)
  build kubectl-carbon "$os" "$arch" "$staging/$binary"
  cp LICENSE "$staging/"
  cp "$staging/$binary" "$OUT/bin/$name"
  sbom "$OUT/bin/$name"
  rm "$OUT/bin/$name"
  archive "$OUT/$name.tar.gz" "$staging" "$binary" LICENSE
  rm -rf "$staging"
done

hack/krew-manifest.sh "$VERSION" "$OUT" >"$OUT/carbon.yaml"

step "The images, as OCI layouts"
for command in manager meter; do
  digest=$("$IMAGER" -name "$command" -version "$VERSION" -time "$EPOCH" -out "$OUT/images/$command" \
    "amd64=$OUT/bin/${command}_linux_amd64" "arm64=$OUT/bin/${command}_linux_arm64")
  printf '%s/%s@%s\n' "$REGISTRY" "$command" "$digest" | tee -a "$OUT/images.txt"
done

step "What is installed, with the images by their digests"
manager=$(grep /manager@ "$OUT/images.txt") meter=$(grep /meter@ "$OUT/images.txt")
staging=$(mktemp -d)
hack/release-manifests.sh "$VERSION" "$manager" "$meter" "$staging"
mv "$staging/install.yaml" "$OUT/"
cp config/samples/gridregion_gb.yaml "$OUT/"
chart=$OUT/ecotracker-operator-$(awk '$1 == "version:" {print $2}' "$staging/ecotracker-operator/Chart.yaml").tgz
archive "$chart" "$staging" ecotracker-operator
rm -rf "$staging"
# Helm itself reads the archive, and installs those images.
bin/helm template ecotracker "$chart" | grep -e "image: $manager\$" -e "--meter-image=$meter\$"

step "The changes of this version"
hack/changelog.sh "$VERSION" >"$OUT/CHANGES.md"
head -5 "$OUT/CHANGES.md"

step "Every binary of this machine tells its version"
host=$(go env GOHOSTOS)_$(go env GOHOSTARCH)
for command in manager meter; do
  if [ -f "$OUT/bin/${command}_$host" ]; then
    told=$("$OUT/bin/${command}_$host" --version)
    echo "$command: $told"
    [[ $told == "$VERSION ("* ]]
  fi
done
unpacked=$(mktemp -d)
if tar -xzf "$OUT/kubectl-carbon_$host.tar.gz" -C "$unpacked" 2>/dev/null; then
  told=$("$unpacked/kubectl-carbon" version)
  echo "kubectl-carbon: $told"
  [[ $told == "$VERSION ("* ]]
fi
rm -rf "$unpacked"

# A release has no folders: who has downloaded a file finds it by its bare name.
(cd "$OUT" && find . -type f ! -name checksums.txt | sort | xargs sha256sum | sed -E 's, \./(bin/|sbom/)?, ,' >checksums.txt)
step "What is downloaded can be checked"
downloaded=$(mktemp -d)
find "$OUT" -type f -not -path '*/images/*' -exec cp -t "$downloaded" {} +
(cd "$downloaded" && sha256sum --check --ignore-missing checksums.txt | tee checked)
[ "$(grep -c ': OK$' "$downloaded/checked")" = "$(find "$downloaded" -type f -not -name checksums.txt -not -name checked | wc -l)" ]
rm -rf "$downloaded"
step "What a release has"
(cd "$OUT" && du -ah --apparent-size --max-depth=2 . | sort -k2)
