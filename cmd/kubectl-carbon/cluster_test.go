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

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

const kubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts:
- {name: one, context: {cluster: c, namespace: nlp}}
- {name: two, context: {cluster: c}}
current-context: one
`

func TestTheFlagsOfKubectlSayWhereToLook(t *testing.T) {
	file := writeKubeconfig(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"the context's namespace":  {nil, "nlp"},
		"another context":          {[]string{"--context", "two"}, "default"},
		"a namespace of one's own": {[]string{"-n", "x"}, "x"},
		"all of them":              {[]string{"-A"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			where := newCluster()
			root := newRoot(genericiooptions.NewTestIOStreamsDiscard(), where)
			if err := root.ParseFlags(append(c.args, "--kubeconfig", file)); err != nil {
				t.Fatal(err)
			}
			if got, err := where.namespace(); got != c.want || err != nil {
				t.Errorf("namespace = %q, %v; want %q", got, err, c.want)
			}
			if _, err := where.client(); err != nil {
				t.Errorf("client: %v", err)
			}
		})
	}
}

// Without a cluster every command that needs one says which flags name it.
func TestNoClusterIsTold(t *testing.T) {
	file := writeKubeconfig(t) // nobody listens on its port 1
	for _, args := range [][]string{{"report"}, {"report", "-A", "-o", "csv"}, {"forecast"}, {"explain", "x"}, {"plan", "-f", "../../docs/examples/job.yaml"}} {
		var out bytes.Buffer
		root := newRoot(genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: io.Discard}, newCluster())
		root.SetArgs(append(args, "--kubeconfig", file))
		if err := root.ExecuteContext(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "Set KUBECONFIG, --kubeconfig or --context)") || out.Len() > 0 {
			t.Errorf("%v: %v, printed %q", args, err, out.String())
		}
	}
}

func writeKubeconfig(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
