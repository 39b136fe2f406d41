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

package install

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// cells is a row of the table of docs/security.md: verbs, what, where, and the answers for the four users.
var cells = regexp.MustCompile("(?m)^\\| `([a-z, ]+) ([^` ]+)` \\| (?:`([a-z-]+)`|the cluster) \\| (yes|no) \\| (yes|no) \\| (yes|no) \\| (yes|no) \\|$")

// personas are the users of the columns; the container of the specs binds their roles.
var personas = []string{"admin-ada", "editor-eve", "viewer-vic", operatorUser}

// groups are the API groups of the resources in the table that are not of the core group.
var groups = map[string]string{
	"carbonawarejobs": "carbon.ecotracker.dev", "carbonbudgets": "carbon.ecotracker.dev", "gridregions": "carbon.ecotracker.dev",
	"jobs": "batch", "clusterroles": "rbac.authorization.k8s.io",
}

// everyVerb are those that RBAC knows for objects of a kind; writes are those that change what an object has.
var (
	everyVerb = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
	writes    = []string{"update", "patch"}
)

// missingCells are the verbs of our kinds of which the table says nothing, in the namespace where teams have roles.
func missingCells() (missing []string) {
	GinkgoHelper()
	told := map[string]bool{}
	for _, row := range rows() {
		for verb := range strings.SplitSeq(row[1], ", ") {
			told[verb+" "+row[2]+" in "+row[3]] = true
		}
	}
	for kind, where := range map[string]string{"carbonawarejobs": "team", "carbonbudgets": "team", "gridregions": ""} {
		for resource, verbs := range map[string][]string{kind: everyVerb, kind + "/status": writes} {
			for _, verb := range verbs {
				if cell := verb + " " + resource + " in " + where; !told[cell] {
					missing = append(missing, cell)
				}
			}
		}
	}
	return missing
}

func rows() [][]string {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	Expect(err).NotTo(HaveOccurred())
	rows := cells.FindAllStringSubmatch(string(text), -1)
	Expect(len(rows)).To(BeNumerically(">=", 24), "is the pattern of the rows still right?")
	return rows
}

// wrongCells compares the table with what the API server says, and returns the cells that differ.
func wrongCells(ctx context.Context) []string {
	GinkgoHelper()
	client := newClientset()
	var wrong []string
	for _, row := range rows() {
		resource, subresource, _ := strings.Cut(row[2], "/")
		resource, _, _ = strings.Cut(resource, ".")
		for verb := range strings.SplitSeq(row[1], ", ") {
			for i, user := range personas {
				review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
					User: user, Groups: []string{"system:authenticated"},
					ResourceAttributes: &authorizationv1.ResourceAttributes{
						Verb: verb, Group: groups[resource], Resource: resource, Subresource: subresource, Namespace: row[3],
					},
				}}
				review, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
				Expect(err).NotTo(HaveOccurred())
				if said := row[4+i] == "yes"; said != review.Status.Allowed {
					wrong = append(wrong, user+": "+verb+" "+row[2]+" in "+row[3]+" is not "+row[4+i])
				}
			}
		}
	}
	return wrong
}

// foreignRights are what our additions to the built-in roles give of kinds that are not ours.
func foreignRights(ctx context.Context) (foreign []string) {
	GinkgoHelper()
	for _, name := range []string{"view", "edit", "admin"} {
		role, err := newClientset().RbacV1().ClusterRoles().Get(ctx, "ecotracker-"+name, metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(role.Rules).NotTo(BeEmpty())
		for _, rule := range role.Rules {
			if !slices.Equal(rule.APIGroups, []string{"carbon.ecotracker.dev"}) || slices.ContainsFunc(rule.Resources, func(resource string) bool { return groups[resource] != "carbon.ecotracker.dev" }) {
				foreign = append(foreign, role.Name+": "+rule.String())
			}
		}
	}
	return foreign
}

func newClientset() kubernetes.Interface {
	GinkgoHelper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	return client
}
