#!/usr/bin/env bash
# Checks that nothing in the tree is stale, untidy or against the rules. `make verify` builds the
# tools that it calls. It leaves what it regenerated in the tree.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n--- %s\n' "$*"; }
fail() { printf 'verify: %s\n' "$*" >&2; exit 1; }

# snapshot prints an id of all files but the ignored ones, tracked or not.
snapshot() {
  local index
  index=$(mktemp)
  cp "$(git rev-parse --git-path index)" "$index"
  GIT_INDEX_FILE=$index git add --all
  GIT_INDEX_FILE=$index git write-tree
  rm -f "$index"
}

say "generated files are up to date"
before=$(snapshot)
make --no-print-directory generate manifests docs
after=$(snapshot)
git --no-pager diff --stat "$before" "$after"
[ "$before" = "$after" ] || fail "generated files were stale: commit what make generate manifests docs wrote"
[ -z "${CI:-}" ] || [ -z "$(git status --porcelain)" ] || fail "not committed: $(git status --porcelain)"

say "every module is tidy"
git ls-files --cached --others --exclude-standard '*go.mod' | while read -r mod; do
  echo "$mod"
  (cd "$(dirname "$mod")" && go mod tidy -diff >/dev/null) || fail "$mod is not tidy: run go mod tidy in its folder"
done

say "the code keeps the rules of .golangci.yml"
make --no-print-directory lint

say "the workflows are right"
bin/actionlint -shellcheck= -pyflakes=
if grep -nE '^ *-? *uses: [^#]*@' .github/workflows/*.yml | grep -vE '@[0-9a-f]{40} # v[0-9]'; then
  fail "these actions are not pinned to a commit, with its version as a comment"
fi

say "the manifests can be built"
for part in default namespaced prometheus grafana; do
  bin/kustomize build "config/$part" >/dev/null
done

say "the Helm chart installs what kustomize does"
bin/helm lint --quiet --strict charts/ecotracker-operator
go test -count=1 ./test/chart

say "one release of Go builds what is released"
releases=$(grep -hoE '(GOTOOLCHAIN: go|golang:)[0-9]+\.[0-9]+\.[0-9]+' .github/workflows/*.yml Dockerfile docs/release.md | grep -oE '[0-9.]+$' | sort -u)
[ "$(wc -l <<<"$releases")" = 1 ] || fail "the workflows, the Dockerfile and docs/release.md name several: $releases"

say "no Go file is longer than 300 lines (tests and generated files aside)"
git ls-files --cached --others --exclude-standard '*.go' | grep -vE '_test\.go$|/zz_generated\.' |
  xargs awk 'FNR == 301 {print FILENAME; long = 1} END {exit long}' || fail "these files do more than one thing: split them"

printf '\nverify: all is well\n'
