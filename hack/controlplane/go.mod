module github.com/ecotracker-dev/ecotracker-operator/hack/controlplane

go 1.26.0
