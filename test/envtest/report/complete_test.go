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

package report

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// The script of the documents makes kubectl itself complete kubectl carbon: flags' values, and names of
// the cluster.
func TestKubectlCompletesThePlugin(t *testing.T) {
	text, err := os.ReadFile("../../../docs/kubectl-carbon.md")
	check(t, err)
	dir := t.TempDir()
	commands := regexp.MustCompile(`(?m)^    (printf .*kubectl_complete-carbon|chmod .*kubectl_complete-carbon)$`).FindAllStringSubmatch(string(text), -1)
	if len(commands) != 2 {
		t.Fatalf("docs/kubectl-carbon.md does not say how to install the completion: %q", commands)
	}
	for _, c := range commands {
		output, err := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(c[1], "/usr/local/bin", dir)).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", c[1], err, output)
		}
	}
	check(t, os.Symlink(plugin, filepath.Join(dir, "kubectl-carbon")))
	seed(t, []string{"completed"}, 2)
	defer func() { // other tests add up all namespaces
		check(t, api.DeleteAllOf(t.Context(), &carbonv1alpha1.CarbonAwareJob{}, client.InNamespace("completed")))
	}()
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("KUBECONFIG", kubeconfig)
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	for args, want := range map[string]string{
		"__complete carbon fore":                     "forecast",
		"__complete carbon report --by ":             "region",
		"__complete carbon report -o ":               "html",
		"__complete carbon explain -n completed ":    "job-000001",
		"__complete carbon report --namespace comp":  "completed",
		"carbon report -n completed -o csv --by job": "completed/job-000000",
	} {
		words := strings.Split(args, " ")
		output, err := exec.CommandContext(t.Context(), kubectl, words...).CombinedOutput()
		if err != nil || !strings.Contains(string(output), want) {
			t.Errorf("kubectl %s: %v: %s", args, err, output)
		}
	}
}
