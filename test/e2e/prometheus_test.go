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

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// prometheus is a real one that scrapes the manager.
type prometheus struct{ address string }

// needPrometheus skips the spec loudly where there is no prometheus or promtool.
func needPrometheus() {
	for _, tool := range []string{"prometheus", "promtool"} {
		if _, err := exec.LookPath(tool); err != nil {
			Skip("SKIPPED: there is no " + tool + " on the PATH (Debian has both in the package prometheus)")
		}
	}
}

// startPrometheus has a Prometheus scrape the target every second, with the token and the alerts.
func startPrometheus(target, token, rules string) *prometheus {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	p := &prometheus{address: freeAddress()}
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
- job_name: ecotracker
  scheme: https
  honor_labels: true
  tls_config: {insecure_skip_verify: true}
  authorization: {credentials: %q}
  static_configs: [{targets: [%q]}]
`, rules, token, target)
	file := filepath.Join(dir, "prometheus.yml")
	Expect(os.WriteFile(file, []byte(config), 0o600)).To(Succeed())
	log := &lockedBuffer{}
	//nolint:noctx // it must outlive the spec node's context until it is killed
	cmd := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+p.address)
	cmd.Stdout, cmd.Stderr = log, log
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if CurrentSpecReport().Failed() {
			AddReportEntry("the log of Prometheus", log.String())
		}
	})
	return p
}

// freeAddress is a loopback address that nobody listens on.
func freeAddress() string {
	GinkgoHelper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(listener.Close()).To(Succeed()) }()
	return listener.Addr().String()
}

// get asks the API of Prometheus.
func (p *prometheus) get(g Gomega, ctx context.Context, path string, into any) { //nolint:revive // Gomega comes first in an Eventually
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+path, nil)
	g.Expect(err).NotTo(HaveOccurred())
	response, err := http.DefaultClient.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close() //nolint:errcheck // it was only read
	g.Expect(json.NewDecoder(response.Body).Decode(into)).To(Succeed())
}

// query is the value of every series that answers a query.
func (p *prometheus) query(g Gomega, ctx context.Context, query string) []float64 { //nolint:revive // as above
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	p.get(g, ctx, "/api/v1/query?query="+url.QueryEscape(query), &answer)
	g.Expect(answer.Status).To(Equal("success"), "%s: %s", query, answer.Error)
	var values []float64
	for _, r := range answer.Data.Result {
		text, ok := r.Value[1].(string)
		g.Expect(ok).To(BeTrue(), query)
		v, err := strconv.ParseFloat(text, 64)
		g.Expect(err).NotTo(HaveOccurred(), query)
		values = append(values, v)
	}
	return values
}

// dashboardQueries are the queries of the dashboard's panels, by panel, with Grafana's variables as
// Grafana would set them for the last minutes.
func dashboardQueries() map[string][]string {
	GinkgoHelper()
	var dashboard struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr string }
		}
	}
	data, err := os.ReadFile(filepath.Join("..", "..", "config", "grafana", "ecotracker.json"))
	Expect(err).NotTo(HaveOccurred())
	Expect(json.Unmarshal(data, &dashboard)).To(Succeed())
	variables := strings.NewReplacer("$__range", "10m", "$__rate_interval", "15s", "$region", ".*", "$instance", ".*")
	queries := map[string][]string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			query := variables.Replace(target.Expr)
			Expect(query).NotTo(ContainSubstring("$"), "%s has a variable that this test does not know", panel.Title)
			queries[panel.Title] = append(queries[panel.Title], query)
		}
	}
	return queries
}

// alertRules writes the groups of the PrometheusRule as a plain file of rules beside their tests, and
// returns both.
func alertRules() (rules, tests string) {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	source := filepath.Join("..", "..", "config", "prometheus")
	data, err := os.ReadFile(filepath.Join(source, "rules.yaml"))
	Expect(err).NotTo(HaveOccurred())
	var object struct{ Spec json.RawMessage }
	Expect(yaml.Unmarshal(data, &object)).To(Succeed())
	plain, err := yaml.JSONToYAML(object.Spec)
	Expect(err).NotTo(HaveOccurred())
	rules, tests = filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "rules_test.yaml")
	Expect(os.WriteFile(rules, plain, 0o600)).To(Succeed())
	data, err = os.ReadFile(filepath.Join(source, "rules_test.yaml"))
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(tests, data, 0o600)).To(Succeed())
	return rules, tests
}

// tokenOfReader is the token of a service account that may read the metrics, as the one of a
// Prometheus would be bound.
func tokenOfReader(ctx context.Context, ns string) string {
	GinkgoHelper()
	token := tokenOf(ctx, ns, "prometheus")
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: ns + "-reads-metrics"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "ecotracker-metrics-reader"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "prometheus", Namespace: ns}},
	}
	Expect(cluster.Create(ctx, binding)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(cluster.Delete(ctx, binding))).To(Succeed()) })
	return token
}

// tokenOf is the token of a new service account, which may do nothing.
func tokenOf(ctx context.Context, ns, name string) string {
	GinkgoHelper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}}
	Expect(cluster.Create(ctx, account)).To(Succeed())
	request := &authenticationv1.TokenRequest{}
	Expect(cluster.SubResource("token").Create(ctx, account, request)).To(Succeed())
	return request.Status.Token
}
