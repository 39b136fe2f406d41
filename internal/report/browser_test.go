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
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// askedBy has a browser open the page: what it shows, and the hosts that it asked for anything.
func askedBy(t *testing.T, chromium string, page []byte) (dom string, hosts []string) {
	t.Helper()
	var mu sync.Mutex
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		hosts = append(hosts, r.Host)
		w.WriteHeader(http.StatusNotFound)
	}))
	defer proxy.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--proxy-server="+proxy.URL, "--virtual-time-budget=3000", "--dump-dom", "file://"+file).Output()
	if err != nil {
		t.Fatalf("%s: %v", chromium, err)
	}
	mu.Lock()
	defer mu.Unlock()
	return string(out), slices.Clone(hosts)
}

// A browser shows the page and asks nobody for anything, whatever the names in the cluster are.
func TestABrowserAsksForNothing(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: there is no chromium on the PATH")
	}
	const elsewhere = "elsewhere.example"
	jobs := seeded(4)
	for i, name := range []string{
		`<img src="http://elsewhere.example/a">`, `"><link rel="stylesheet" href="http://elsewhere.example/b">`,
		`</title><style>body{background:url(http://elsewhere.example/c)}</style>`, `<script>fetch("http://elsewhere.example/d")</script>`,
	} {
		jobs[i].Status.Model.Effective, jobs[i].Status.Job.Region = name, name
	}
	var page bytes.Buffer
	if err := reportOf(time.Time{}, jobs, PageGroupings()...).WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	dom, hosts := askedBy(t, chromium, page.Bytes())
	if slices.Contains(hosts, elsewhere) || !strings.Contains(dom, "<h1>Carbon report</h1>") {
		t.Errorf("it asked %v and showed:\n%s", hosts, dom)
	}
	if _, hosts := askedBy(t, chromium, []byte(`<img src="http://elsewhere.example/a">`)); !slices.Contains(hosts, elsewhere) {
		t.Errorf("a request would not have been noticed: %v", hosts)
	}
}
