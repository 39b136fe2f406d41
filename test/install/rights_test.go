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
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// cells is a row of the table of docs/security.md: what, where, and the answers for the four users.
var cells = regexp.MustCompile("(?m)^\\| `(\\w+) ([^`]+)` \\| (?:`([a-z-]+)`|the cluster) \\| (yes|no) \\| (yes|no) \\| (yes|no) \\| (yes|no) \\|$")

// personas are the users of the columns; the container of the specs binds their roles.
var personas = []string{"admin-ada", "editor-eve", "viewer-vic", operatorUser}

// groups are the API groups of the resources in the table that are not of the core group.
var groups = map[string]string{
	"carbonawarejobs": "carbon.ecotracker.dev", "carbonbudgets": "carbon.ecotracker.dev", "gridregions": "carbon.ecotracker.dev",
	"jobs": "batch", "clusterroles": "rbac.authorization.k8s.io",
}

// wrongCells compares the table with what the API server says, and returns the cells that differ.
func wrongCells(ctx context.Context) []string {
	GinkgoHelper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	text, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	Expect(err).NotTo(HaveOccurred())
	rows := cells.FindAllStringSubmatch(string(text), -1)
	Expect(len(rows)).To(BeNumerically(">=", 24), "is the pattern of the rows still right?")
	var wrong []string
	for _, row := range rows {
		resource, subresource, _ := strings.Cut(row[2], "/")
		resource, _, _ = strings.Cut(resource, ".")
		for i, user := range personas {
			review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
				User: user, Groups: []string{"system:authenticated"},
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Verb: row[1], Group: groups[resource], Resource: resource, Subresource: subresource, Namespace: row[3],
				},
			}}
			review, err := client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			Expect(err).NotTo(HaveOccurred())
			if said := row[4+i] == "yes"; said != review.Status.Allowed {
				wrong = append(wrong, user+": "+row[1]+" "+row[2]+" in "+row[3]+" is not "+row[4+i])
			}
		}
	}
	return wrong
}
