#!/usr/bin/env bash
# Runs a command with a cluster, and takes the cluster away afterwards:
#
#   hack/cluster.sh [--nodes=kwok|real] [--image=NAME=FILE]... -- COMMAND...
#
# CLUSTER chooses it: existing is the one of KUBECONFIG, kind a new one of kind, embedded the control
# plane of hack/controlplane. Unset means kind where docker answers and kind is installed, else
# embedded. FILE is a static binary that the nodes get as image NAME.
set -euo pipefail
cd "$(dirname "$0")/.."

flags=() images=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  flags+=("$1")
  case $1 in --image=*) images+=("${1#--image=}") ;; esac
  shift
done
[ $# -gt 1 ] || { echo "cluster.sh: a command is missing after --" >&2; exit 2; }
shift

choice=${CLUSTER:-}
if [ -z "$choice" ]; then
  choice=embedded
  if command -v kind >/dev/null && docker info >/dev/null 2>&1; then
    choice=kind
  fi
fi

# load NAME FILE [ENV]: a static binary as an image on every node of the kind cluster.
load() {
  local context
  context=$(mktemp -d)
  cp "$2" "$context/app"
  printf 'FROM scratch\nCOPY app /app\n%s\nENTRYPOINT ["/app"]\n' "${3:-}" >"$context/Dockerfile"
  docker build --quiet --tag "$1" "$context"
  rm -rf "$context"
  kind load docker-image --name "$name" "$1"
}

case $choice in
  embedded)
    exec bin/controlplane-tool run "${flags[@]}" -- "$@"
    ;;
  existing)
    CONTROLPLANE_NODES=real exec "$@"
    ;;
  kind)
    name=ecotracker-$$
    work=$(mktemp -d)
    export KUBECONFIG=$work/kubeconfig
    trap 'kind delete cluster --name "$name" >/dev/null 2>&1; rm -rf "$work"' EXIT
    cat >"$work/kind.yaml" <<'YAML'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
- role: worker
  labels: {topology.kubernetes.io/region: uksouth}
- role: worker
  labels: {topology.kubernetes.io/region: germanywestcentral}
YAML
    kind create cluster --name "$name" --config "$work/kind.yaml" --wait 180s
    CGO_ENABLED=0 GOOS=linux go build -C hack/controlplane -trimpath -o "$work/printenv" ./images/printenv
    load ecotracker.dev/print-env:dev "$work/printenv"
    for job in eval embed summary; do # the jobs of the demo run for eight seconds
      load "example.org/$job:1" "$work/printenv" 'ENV SLEEP=8s'
    done
    for image in "${images[@]}"; do
      load "${image%%=*}" "${image#*=}"
    done
    CONTROLPLANE_NODES=real "$@"
    ;;
  *)
    echo "cluster.sh: CLUSTER is $choice: it has to be existing, kind or embedded" >&2
    exit 2
    ;;
esac
