/*
Copyright 2026 The EcoTracker Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

// Package chart checks that the Helm chart installs the same as kustomize does, object by object.
package chart

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

const (
	root  = "../.."
	chart = "charts/ecotracker-operator"
)

// onlyHelms are the labels that Helm's conventions ask for.
var onlyHelms = []string{"helm.sh/chart", "app.kubernetes.io/instance", "app.kubernetes.io/managed-by"}

func TestTheChartInstallsWhatKustomizeDoes(t *testing.T) {
	for overlay, values := range map[string]string{"config/default": "", "config/namespaced": "watchNamespaces={team-a}"} {
		kustomized := objects(t, run(t, "kustomize", "build", overlay))
		rendered := objects(t, helm(t, "image.tag=dev", values))
		// Helm makes the namespace itself, and kubectl cannot apply an object together with its definition.
		delete(kustomized, "Namespace /ecotracker-system")
		delete(rendered, "GridRegion /gb")
		if len(kustomized) < 20 {
			t.Errorf("%s: only %d objects", overlay, len(kustomized))
		}
		for key, object := range kustomized {
			if diff := cmp.Diff(object, rendered[key]); diff != "" {
				t.Errorf("%s (-) and the chart (+) differ in %s:\n%s", overlay, key, diff)
			}
			delete(rendered, key)
		}
		for key := range rendered {
			t.Errorf("the chart has %s, which %s has not", key, overlay)
		}
	}
}

func TestTheDefaultRegionIsTheSample(t *testing.T) {
	sample, err := os.ReadFile(filepath.Join(root, "config/samples/gridregion_gb.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const gb = "GridRegion /gb"
	rendered := objects(t, helm(t))[gb]
	if rendered == nil {
		t.Fatal("the chart makes no default region")
	}
	rendered.SetAnnotations(without(rendered.GetAnnotations(), "helm.sh/hook"))
	rendered.SetLabels(nil)
	if diff := cmp.Diff(objects(t, sample)[gb], rendered); diff != "" {
		t.Errorf("the sample (-) and the chart (+) differ:\n%s", diff)
	}
}

func TestValuesChangeWhatTheySay(t *testing.T) {
	tests := map[string]struct {
		values    []string
		here, not []string
	}{
		"nothing but what is needed": {
			values: []string{"aggregatedRoles=false", "admissionPolicies=false", "networkPolicy=false", "podDisruptionBudget=false", "crds.install=false", "defaultRegion.create=false"},
			here:   []string{"kind: Deployment"},
			not:    []string{"aggregate-to", "ValidatingAdmissionPolicy", "NetworkPolicy", "PodDisruptionBudget", "CustomResourceDefinition", "kind: GridRegion"},
		},
		"an image by its digest": {
			values: []string{"image.repository=example.org/x", "image.digest=sha256:" + strings.Repeat("a", 64)},
			here:   []string{"image: example.org/x@sha256:aaaa"},
		},
		"the meter by its digest": {
			values: []string{"image.tag=v1", "meter.repository=example.org/m", "meter.digest=sha256:" + strings.Repeat("b", 64)},
			here:   []string{"image: ecotracker-operator:v1\n", "--meter-image=example.org/m@sha256:bbbb"},
		},
		"the meter by the tag of all": {values: []string{"image.tag=v1"}, here: []string{"--meter-image=ecotracker-meter:v1\n"}},
		"two namespaces":              {values: []string{"watchNamespaces={a,b}"}, here: []string{"--watch-namespaces=a,b", "namespace: a\n", "namespace: b\n"}, not: []string{"ecotracker-manager-rolebinding\n  labels"}},
		"a second operator":           {values: []string{"pollRegions=false", "watchNamespaces={a}"}, here: []string{"--poll-regions=false"}, not: []string{"- secrets", "region-events"}},
		"kinds to be lost":            {values: []string{"crds.keep=false"}, here: []string{"CustomResourceDefinition"}, not: []string{"helm.sh/resource-policy"}},
		"kinds to be kept":            {here: []string{"helm.sh/resource-policy: keep"}},
		"a certificate of one's own": {
			values: []string{"metrics.certificateSecret=mine", "serviceMonitor=true"},
			here:   []string{"--metrics-cert-dir=/etc/metrics-certificate", "secretName: mine\n", "serverName: ecotracker-controller-manager-metrics.ecotracker-system.svc\n", "name: mine\n"},
			not:    []string{"insecureSkipVerify"},
		},
		"an authority of one's own": {
			values: []string{
				"extraEnv[0].name=SSL_CERT_DIR", "extraEnv[0].value=/etc/authorities", "extraVolumes[0].name=authorities", "extraVolumes[0].configMap.name=mine",
				"extraVolumeMounts[0].name=authorities", "extraVolumeMounts[0].mountPath=/etc/authorities", "metrics.certificateSecret=tls",
			},
			here: []string{
				"        - name: SSL_CERT_DIR\n          value: /etc/authorities\n        ports:",
				"        - name: metrics-certificate\n          mountPath: /etc/metrics-certificate\n          readOnly: true\n        - mountPath: /etc/authorities\n          name: authorities\n",
				"      - name: metrics-certificate\n        secret:\n          secretName: tls\n      - configMap:\n          name: mine\n        name: authorities\n",
			},
		},
		"a volume and no certificate": {
			values: []string{"extraVolumes[0].name=tmp", "extraVolumeMounts[0].name=tmp", "extraVolumeMounts[0].mountPath=/tmp"},
			here:   []string{"        volumeMounts:\n        - mountPath: /tmp\n", "      volumes:\n      - name: tmp\n"},
			not:    []string{"metrics-certificate"},
		},
		"another default region": {
			values: []string{"defaultRegion.name=de", "defaultRegion.spec.source.energyCharts.country=de"},
			here:   []string{"  name: de\n", "energyCharts:\n      country: de\n"},
			not:    []string{"ukCarbonIntensity: {}", "annualMean: GBR"},
		},
		"Prometheus": {values: []string{"serviceMonitor=true", "alerts=true"}, here: []string{"kind: ServiceMonitor", "alert: EcoTrackerNoLeader"}},
	}
	for name, test := range tests {
		text := string(helm(t, test.values...))
		for _, want := range test.here {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
		for _, bad := range test.not {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q is there", name, bad)
			}
		}
	}
}

func TestTheDocumentedValuesAre(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/install.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## A proxy, or an authority of your own\n")
	_, section, _ = strings.Cut(section, "```yaml\n")
	values, _, _ := strings.Cut(section, "```")
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	rendered := string(run(t, "helm", "template", "ecotracker", chart, "--values", file))
	for _, want := range []string{"- --allow-private-sources\n", "value: $(KUBERNETES_SERVICE_HOST)\n", "- mountPath: /etc/authorities\n", "- configMap:\n          name: authorities\n"} {
		if !strings.Contains(rendered, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for value, field := range map[string]string{
		"replica=1": "replica", "replicas=-1": "/replicas", "watchNamespaces={A}": "/watchNamespaces/0", "image.digest=abc": "/image/digest", "meter.image=x": "image",
		"extraArgs={x}": "/extraArgs/0", "image.pullPolicy=Sometimes": "/image/pullPolicy", "crds.kep=true": "kep",
		"defaultRegion.name=de": "/defaultRegion/spec", "defaultRegion.spec.annualMean=DEU": "/defaultRegion/spec",
		"podLabels.control-plane=x": "invalid propertyName 'control-plane'", "extraEnv[0].name=POD_NAMESPACE": "/extraEnv/0/name",
		"extraVolumes[0].name=metrics-certificate": "/extraVolumes/0/name", "extraVolumeMounts[0].name=x": "/extraVolumeMounts/0",
	} {
		output, err := command(t.Context(), "helm", "template", "ecotracker", chart, "--set", value).CombinedOutput()
		if err == nil || !strings.Contains(string(output), field) {
			t.Errorf("%s: %v: %s", value, err, output)
		}
	}
}

func TestAReleaseHasANameThatItsObjectsCanHave(t *testing.T) {
	for name, good := range map[string]bool{strings.Repeat("a", 36): true, strings.Repeat("a", 37): false, "my.rel": false} {
		output, err := command(t.Context(), "helm", "template", name, chart).CombinedOutput()
		if good != (err == nil) || !good && !strings.Contains(string(output), "the release name "+name) {
			t.Errorf("%s: %v: %s", name, err, output)
		}
	}
}

// helm renders the chart as the release ecotracker, as docs/install.md installs it.
func helm(t *testing.T, values ...string) []byte {
	t.Helper()
	args := []string{"template", "ecotracker", chart, "--namespace", "ecotracker-system"}
	for _, v := range values {
		if v != "" {
			args = append(args, "--set", v)
		}
	}
	return run(t, "helm", args...)
}

func run(t *testing.T, tool string, args ...string) []byte {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root, "bin", tool)); err != nil {
		t.Skipf("SKIPPED: bin/%s is not built; `make verify` builds it and runs this", tool)
	}
	c := command(t.Context(), tool, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	output, err := c.Output()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", tool, args, err, stderr.String())
	}
	return output
}

func command(ctx context.Context, tool string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "bin/"+tool, args...)
	c.Dir = root
	return c
}

// objects parses manifests, by kind, namespace and name, without what only Helm writes.
func objects(t *testing.T, manifests []byte) map[string]*unstructured.Unstructured {
	t.Helper()
	all := map[string]*unstructured.Unstructured{}
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), len(manifests))
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Object) == 0 {
			continue
		}
		o.SetLabels(without(o.GetLabels(), onlyHelms...))
		o.SetAnnotations(without(o.GetAnnotations(), "helm.sh/resource-policy"))
		key := o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
		if all[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		all[key] = o
	}
}

func without(values map[string]string, keys ...string) map[string]string {
	for _, key := range keys {
		delete(values, key)
	}
	if len(values) == 0 {
		return nil
	}
	return values
}
