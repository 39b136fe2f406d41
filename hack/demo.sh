#!/usr/bin/env bash
# The main job, as a person would watch it with kubectl. Needs a cluster (KUBECONFIG) with nodes in
# the regions uksouth and germanywestcentral: `make demo` brings one up.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -f "$log"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
trap 'echo "The demo failed. The end of the log of the manager:" >&2; tail -20 "$log" >&2' ERR

say() { printf '\n# %s\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }

say "Install the kinds and start the manager"
show kubectl apply -f config/crd/bases
kubectl wait --for=condition=Established crd --all --timeout=30s >/dev/null
kubectl create namespace ecotracker-system --dry-run=client -o yaml | kubectl apply -f - >/dev/null
bin/manager --metrics-bind-address=0 --health-probe-bind-address=0 >"$log" 2>&1 &
pids+=($!)

say "Two grid regions, from tables in a ConfigMap: a day in 4 minutes"
kubectl create configmap demo-traces --namespace ecotracker-system --from-file=hack/demo/gb.csv --from-file=hack/demo/de.csv \
  --dry-run=client -o yaml | kubectl apply -f - >/dev/null
show kubectl apply -f hack/demo/regions.yaml
kubectl wait --for=condition=Ready gridregions --all --timeout=60s >/dev/null
show kubectl get gridregions

say "Three jobs: one may move to another region, one may only wait, one is urgent"
show kubectl apply -f hack/demo/jobs.yaml

say "Watch them being planned, started and completed (about a minute)"
printf '$ kubectl get carbonawarejobs --watch\n'
kubectl get carbonawarejobs --watch &
pids+=($!)
kubectl wait --for=condition=Complete carbonawarejobs --all --timeout=180s >/dev/null
kubectl wait --for=condition=EmissionsRecorded carbonawarejobs --all --timeout=60s >/dev/null
kill "${pids[1]}"
wait "${pids[1]}" 2>/dev/null || true
unset 'pids[1]'

say "What is left: grams that add up, and the story of one job"
show kubectl get carbonawarejobs,gridregions,jobs
echo
show kubectl events --for carbonawarejob/nightly-eval
