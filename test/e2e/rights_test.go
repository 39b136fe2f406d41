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
	"bufio"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// neverSeen are rights that no request of this suite shows, with what needs them.
var neverSeen = map[string]string{
	"update carbon.ecotracker.dev/carbonawarejobs/finalizers": "admission asks for it when an owner reference blocks the owner's deletion",
	"patch events.k8s.io/events":                              "an Event that comes again within six minutes is counted, not created again",
	"patch /events":                                           "the same, for the news of a new leader",
	"list batch/jobs":                                         "for an API server that does not stream the first list of a watch",
	"list carbon.ecotracker.dev/gridregions":                  "the same",
	"list /configmaps":                                        "the same",
	"list /pods":                                              "the same; and for a metered run that is over before the cache shows its last numbers",
}

// suiteBegan is from when on every right of the operator is known to the API server.
var suiteBegan time.Time

var _ = Describe("A manager with a standby's flags", func() {
	It("works while it holds the lease, and gives it back", func(ctx context.Context) {
		lease := &coordinationv1.Lease{}
		key := types.NamespacedName{Namespace: operatorNamespace, Name: "leader.carbon.ecotracker.dev"}
		holder := func(g Gomega) *string {
			g.Expect(cluster.Get(ctx, key, lease)).To(Succeed())
			return lease.Spec.HolderIdentity
		}
		m := startManager("", "--leader-elect")
		Eventually(holder).Should(HaveValue(Not(BeEmpty())))
		held := lease.DeepCopy()
		Eventually(func(g Gomega) { // it is renewed, which is another right than taking it
			holder(g)
			g.Expect(lease.Spec.RenewTime.Time).To(BeTemporally(">", held.Spec.RenewTime.Time))
		}).Should(Succeed())
		m.terminate()
		Eventually(holder).Should(HaveValue(BeEmpty()))
	})
})

var _ = Describe("A job with a time to live", func() {
	It("is deleted by the operator, record and all", func(ctx context.Context) {
		ns := namespace(ctx)
		trace(ctx, "ttl", time.Second, nil, repeat(60, 300)...)
		startManager("")
		j := runnable(build.CarbonAwareJob("brief", ns).Regions("ttl").MaxDelay(0).KWh("1").TTL(1), time.Second).Obj()
		Expect(cluster.Create(ctx, j)).To(Succeed())
		Eventually(func() bool {
			return apierrors.IsNotFound(cluster.Get(ctx, client.ObjectKeyFromObject(j), j))
		}).Should(BeTrue())
	})
})

// Nothing that the operator asks for is denied, and no right is granted that it does not use; the second is
// seen only where every spec ran.
var _ = ReportAfterSuite("The operator's rights", func(ctx SpecContext, report Report) {
	log := os.Getenv("E2E_AUDIT_LOG")
	if log == "" {
		return
	}
	used, denied := requestsOfOperator(log)
	Expect(denied).To(BeEmpty(), "the operator's roles lack something")
	if !report.SuiteSucceeded || len(report.SuiteConfig.FocusStrings)+len(report.SuiteConfig.SkipStrings) > 0 {
		return
	}
	granted := grantedRights(ctx)
	var unused []string
	for _, right := range granted {
		if !used[right] && neverSeen[right] == "" {
			unused = append(unused, right)
		}
	}
	Expect(unused).To(BeEmpty(), "take these rights off the operator's roles")
	for right := range neverSeen {
		Expect(granted).To(ContainElement(right), "nobody grants it")
	}
	GinkgoWriter.Printf("%d rights are granted, %d of them were used\n", len(granted), len(used))
})

// request is a line of the audit log.
type request struct {
	Verb                     string
	User                     struct{ Username string }
	ObjectRef                struct{ Namespace, Name, Resource, Subresource, APIGroup string }
	Annotations              map[string]string
	RequestReceivedTimestamp time.Time
}

// requestsOfOperator are the rights that the operator's requests needed, as "verb group/resource", and what was
// denied for want of a right.
func requestsOfOperator(log string) (used map[string]bool, denied []string) {
	GinkgoHelper()
	file, err := os.Open(log)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = file.Close() }() // it was only read
	used = map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var r request
		if json.Unmarshal(lines.Bytes(), &r) != nil || r.User.Username != operatorUser {
			continue
		}
		right := right(r.Verb, r.ObjectRef.APIGroup, strings.TrimSuffix(r.ObjectRef.Resource+"/"+r.ObjectRef.Subresource, "/"))
		if r.Annotations["authorization.k8s.io/decision"] != "forbid" {
			used[right] = true
		} else if r.RequestReceivedTimestamp.After(suiteBegan) {
			denied = append(denied, right+" "+r.ObjectRef.Namespace+"/"+r.ObjectRef.Name)
		}
	}
	Expect(lines.Err()).NotTo(HaveOccurred())
	Expect(used).NotTo(BeEmpty(), "the log knows nothing of the operator")
	return used, denied
}

func right(verb, group, resource string) string { return verb + " " + group + "/" + resource }

// grantedRights are those of every role that is bound to the operator.
func grantedRights(ctx context.Context) []string {
	GinkgoHelper()
	var rules []rbacv1.PolicyRule
	var clusterBindings rbacv1.ClusterRoleBindingList
	Expect(cluster.List(ctx, &clusterBindings)).To(Succeed())
	for _, b := range clusterBindings.Items {
		if toOperator(b.Subjects) {
			role := &rbacv1.ClusterRole{}
			Expect(cluster.Get(ctx, types.NamespacedName{Name: b.RoleRef.Name}, role)).To(Succeed())
			rules = append(rules, role.Rules...)
		}
	}
	var bindings rbacv1.RoleBindingList
	Expect(cluster.List(ctx, &bindings, client.InNamespace(operatorNamespace))).To(Succeed())
	for _, b := range bindings.Items {
		if toOperator(b.Subjects) {
			role := &rbacv1.Role{}
			Expect(cluster.Get(ctx, types.NamespacedName{Namespace: b.Namespace, Name: b.RoleRef.Name}, role)).To(Succeed())
			rules = append(rules, role.Rules...)
		}
	}
	var granted []string
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					granted = append(granted, right(verb, group, resource))
				}
			}
		}
	}
	Expect(len(granted)).To(BeNumerically(">", 20))
	return granted
}

func toOperator(subjects []rbacv1.Subject) bool {
	return slices.ContainsFunc(subjects, func(s rbacv1.Subject) bool {
		return s.Kind == rbacv1.ServiceAccountKind && s.Namespace == operatorNamespace && s.Name == operatorAccount
	})
}
