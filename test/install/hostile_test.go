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
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// hostileJobs is how many objects the hostile namespace gets; HOSTILE sets it, to 10000 for the figures of
// docs/security.md.
func hostileJobs() int {
	if text := os.Getenv("HOSTILE"); text != "" {
		n, err := strconv.Atoi(text)
		Expect(err).NotTo(HaveOccurred())
		return n
	}
	return 600
}

// newCluster is a client for the administrator.
func newCluster(limits ...func(*rest.Config)) client.WithWatch {
	GinkgoHelper()
	log.SetLogger(GinkgoLogr)
	scheme := runtime.NewScheme()
	Expect(batchv1.AddToScheme(scheme)).To(Succeed())
	Expect(carbonv1alpha1.AddToScheme(scheme)).To(Succeed())
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	for _, limit := range limits {
		limit(config)
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// likeKubectl are the limits that kubectl has.
func likeKubectl(config *rest.Config) { config.QPS, config.Burst = 50, 300 }

// empty is a job that starts at once, without pods, so that only the operator and the API server work.
func empty(namespace, name string, mounts ...corev1.VolumeMount) *carbonv1alpha1.CarbonAwareJob {
	return build.CarbonAwareJob(name, namespace).Regions("steady").MaxDelay(0).Jitter(0).Template(func(t *batchv1.JobTemplateSpec) {
		t.Spec.Parallelism = ptr.To[int32](0)
		t.Spec.Template.Spec.Containers[0].VolumeMounts = mounts
	}).Obj()
}

// start is how long it took from the moment that a job was sent until the API server had it, until its Job was made and
// until that was started; and how many Jobs of the hostile namespace were made before its own was.
type start struct {
	accepted, made, started time.Duration
	passed                  int64
}

// starts makes jobs in the namespace quiet, one after the other as long as it is told to.
func starts(ctx context.Context, c client.WithWatch, prefix string, more func(n int) bool) (all []start) {
	GinkgoHelper()
	watching, err := c.Watch(ctx, &batchv1.JobList{}, client.InNamespace("quiet"))
	Expect(err).NotTo(HaveOccurred())
	defer watching.Stop()
	for n := 0; more(n); n++ {
		name, s := fmt.Sprintf("%s-%d", prefix, n), start{passed: -countJobs(ctx, c, "hostile")}
		// Starts are at whole seconds. Made right after the start before, a job would always wait for the next one
		// and hide a delay, so they are made at the 0.618th, 0.236th, 0.854th ... part of a second.
		now, golden := time.Now(), time.Duration(float64(n+1)*0.618e9)%time.Second
		<-time.After((golden - now.Sub(now.Truncate(time.Second)) + time.Second) % time.Second)
		begin := time.Now()
		Expect(c.Create(ctx, empty("quiet", name))).To(Succeed())
		s.accepted = time.Since(begin)
		for event := range watching.ResultChan() {
			job, ok := event.Object.(*batchv1.Job)
			if !ok || job.Name != name {
				continue
			}
			if event.Type == watch.Added {
				s.made = time.Since(begin)
				s.passed += countJobs(ctx, c, "hostile")
			}
			if !ptr.Deref(job.Spec.Suspend, false) {
				s.started = time.Since(begin)
				break
			}
		}
		Expect(s.started).NotTo(BeZero(), "the watch ended before the start of %s", name)
		all = append(all, s)
		if s.started > 10*time.Second {
			AddReportEntry("why is "+name+" late?", sh(ctx, "kubectl events -n quiet | grep -w %[1]s || true; kubectl get carbonawarejob,job %[1]s -n quiet -o yaml --show-managed-fields", name), ReportEntryVisibilityAlways)
		}
	}
	return all
}

// told is what the starts took.
func told(all []start) string {
	figures := func(of func(start) time.Duration) string {
		var took []time.Duration
		for _, s := range all {
			took = append(took, of(s))
		}
		slices.Sort(took)
		return fmt.Sprintf("%.2f s (%.2f)", took[len(took)/2].Seconds(), took[len(took)-1].Seconds())
	}
	return fmt.Sprintf("accepted after %s, Job made after %s, started after %s, %d Jobs of the flood made before its own; %d jobs",
		figures(func(s start) time.Duration { return s.accepted }), figures(func(s start) time.Duration { return s.made }),
		figures(func(s start) time.Duration { return s.started }), passed(all), len(all))
}

// passed is how many Jobs of the flood were made, in the median, while a job waited for its own.
func passed(all []start) int64 {
	var counts []int64
	for _, s := range all {
		counts = append(counts, s.passed)
	}
	slices.Sort(counts)
	return counts[len(counts)/2]
}

// countJobs is how many Jobs a namespace has, of which the API server sends but one.
func countJobs(ctx context.Context, c client.Client, namespace string) int64 {
	GinkgoHelper()
	jobs := &metav1.PartialObjectMetadataList{}
	jobs.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("JobList"))
	Expect(c.List(ctx, jobs, client.InNamespace(namespace), client.Limit(1))).To(Succeed())
	return int64(len(jobs.Items)) + ptr.Deref(jobs.RemainingItemCount, 0)
}

var _ = Describe("A hostile namespace", Ordered, func() {
	It("does not keep another one waiting", func(ctx context.Context) {
		beginEmpty(ctx)
		install(ctx)
		sh(ctx, "kubectl create namespace hostile; kubectl create namespace quiet; kubectl create -f - <<'END'\n%s\nEND",
			`{apiVersion: carbon.ecotracker.dev/v1alpha1, kind: GridRegion, metadata: {name: steady}, spec: {source: {static: {gramsPerKWh: "100"}}}}`)
		m := startManager(ctx)
		sh(ctx, "kubectl wait --for=condition=Ready gridregion/steady --timeout=3m")
		c := newCluster()
		report := "from the moment that a job is sent: median (most)"
		measured := func(when string, all []start) { report += fmt.Sprintf("\n%s: %s", when, told(all)) }
		measured("without", starts(ctx, c, "before", func(n int) bool { return n < 20 }))

		half := hostileJobs() / 2
		By(fmt.Sprintf("making %d objects there, at most as fast as kubectl does: every third has a template that no Job may have", half))
		ended := make(chan struct{})
		go func() {
			defer GinkgoRecover()
			defer close(ended)
			flood(ctx, newCluster(likeKubectl), "a", half)
		}()
		measured("while they are made", starts(ctx, c, "made", func(int) bool { return !closed(ended) }))
		unfinished := time.Now()
		worked := func(wanted int64) bool { // the good ones have their Jobs
			return countJobs(ctx, c, "hostile") >= wanted || time.Since(unfinished) > 15*time.Minute
		}
		good := int64(half - (half+2)/3)
		Eventually(func() bool { return worked(good) }).WithContext(ctx).WithTimeout(15 * time.Minute).Should(BeTrue())

		By(fmt.Sprintf("making %d more while the operator sleeps, and jobs elsewhere while it works on them", half))
		m.Pause()
		flood(ctx, c, "b", half)
		m.Resume()
		begin := time.Now()
		unfinished = begin
		waiting := starts(ctx, c, "during", func(n int) bool { return n == 0 || !worked(2*good) })
		first := waiting[0]
		measured(fmt.Sprintf("while they wait for the operator, %s", time.Since(begin).Round(time.Second)), waiting)
		measured("with all of them there", starts(ctx, c, "after", func(n int) bool { return n < 20 }))
		AddReportEntry("delays", fmt.Sprintf("%d objects\n%s\n%d of %d passed by the job that came after the second half of them\nwatches that the API server cut off:\n%s",
			2*half, report, first.passed, good, sh(ctx, "kubectl get --raw /metrics | grep ^apiserver_terminated_watchers || echo none")), ReportEntryVisibilityAlways)
		sh(ctx, "kubectl delete namespace hostile quiet --timeout=15m") // one by one the jobs take minutes
		sh(ctx, "kubectl delete -f dist/install.yaml --ignore-not-found --timeout=5m")
		// In the order of arrival all of them would.
		Expect(first.passed).To(BeNumerically("<", good/2))
	}, NodeTimeout(40*time.Minute))
})

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// flood makes the objects of the hostile namespace.
func flood(ctx context.Context, c client.Client, prefix string, total int) {
	var writers sync.WaitGroup
	names := make(chan int, total)
	for i := range total {
		names <- i
	}
	close(names)
	for range 10 {
		writers.Go(func() {
			defer GinkgoRecover()
			for i := range names {
				var mounts []corev1.VolumeMount
				if i%3 == 0 {
					mounts = []corev1.VolumeMount{{Name: "missing", MountPath: "/x"}}
				}
				Expect(c.Create(ctx, empty("hostile", fmt.Sprintf("%s-%d", prefix, i), mounts...))).To(Succeed())
			}
		})
	}
	writers.Wait()
}
