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

package controller

import (
	"encoding/json"
	"maps"
	"runtime"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

// large is a job with much that no decision needs.
func large(change func(*batchv1.JobTemplateSpec)) *carbonv1alpha1.CarbonAwareJob {
	j := build.CarbonAwareJob("x", "n").Model("M", "", "", 0).Env("M", "gpt-4").Env("M", "gpt-4o").Env("TOKEN", "secret")
	caj := j.Template(func(t *batchv1.JobTemplateSpec) {
		t.Labels = map[string]string{carbonv1alpha1.LabelKueueQueue: "q", "team": "nlp"}
		t.Annotations = map[string]string{"note": strings.Repeat("x", 1000)}
		t.Spec.Completions = new(int32(7))
		pod := &t.Spec.Template
		pod.Annotations = map[string]string{envAnnotation("M"): "gpt-4.1", "note": "y"}
		pod.Spec.NodeSelector = map[string]string{"zone": "a"}
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "second", Args: []string{strings.Repeat("z", 1000)}})
		pod.Spec.InitContainers = []corev1.Container{{Name: "init", Env: []corev1.EnvVar{{Name: "M", Value: "gpt-4o-mini"}}}}
		change(t)
	}).Obj()
	caj.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	caj.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: "{}", carbonv1alpha1.AnnotationRunNow: "true"}
	return caj
}

// decisions are all that is told by the template once a job is planned.
func decisions(caj *carbonv1alpha1.CarbonAwareJob) map[string]any {
	template := templateOf(caj)
	conflicting := *caj.Spec.LLM
	conflicting.Model = "o3"
	return map[string]any{
		"model": requestedModel(caj.Spec.LLM, template), "conflict": modelConflict(&conflicting, template), "queue": queueOf(caj),
		"pods": wantedPods(&template.Spec), "runNow": caj.Annotations[carbonv1alpha1.AnnotationRunNow],
		"place": nodeSelectorConflict(template, &carbonv1alpha1.RegionPlacement{NodeSelector: map[string]string{"zone": "b"}}),
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func trimmed[T any](t *testing.T, object T) T {
	t.Helper()
	for range 2 { // a cache may do it twice
		if _, err := Trim(object); err != nil {
			t.Fatal(err)
		}
	}
	return object
}

func TestATrimmedJobIsDecidedLikeTheWholeOne(t *testing.T) {
	for name, change := range map[string]func(*batchv1.JobTemplateSpec){
		"a literal model": func(*batchv1.JobTemplateSpec) {},
		"the model of an init container": func(s *batchv1.JobTemplateSpec) {
			s.Spec.Template.Spec.Containers[0].Env = nil
		},
		"the model of the annotation": func(s *batchv1.JobTemplateSpec) {
			s.Spec.Template.Spec.Containers[0].Env, s.Spec.Template.Spec.InitContainers = nil, nil
		},
		"a model from elsewhere": func(s *batchv1.JobTemplateSpec) {
			s.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{wiredEnv("M")}
		},
		"nothing at all": func(s *batchv1.JobTemplateSpec) { *s = batchv1.JobTemplateSpec{} },
	} {
		for _, hasJob := range []bool{false, true} {
			whole := large(change)
			if hasJob {
				whole.Status.Job = &carbonv1alpha1.JobStatus{Name: "x"}
			}
			want := decisions(whole)
			if !hasJob {
				want["room"] = lackOfRoom(templateOf(whole), whole.Spec.LLM, nil)
			}
			part := trimmed(t, whole.DeepCopy())
			got := decisions(part)
			if !hasJob {
				got["room"] = lackOfRoom(templateOf(part), part.Spec.LLM, nil)
			}
			if asJSON(t, got) != asJSON(t, want) {
				t.Errorf("%s, with a Job %t: %s, for the whole one %s", name, hasJob, asJSON(t, got), asJSON(t, want))
			}
			for _, waste := range []string{"zzz", "secret", "kubectl", "last-applied"} {
				if strings.Contains(asJSON(t, part), waste) {
					t.Errorf("%s, with a Job %t: %q is still there", name, hasJob, waste)
				}
			}
			if hasJob && strings.Contains(asJSON(t, part), "xxx") {
				t.Errorf("%s: the annotations are not needed once there is a Job", name)
			}
		}
	}
}

func TestATrimmedJobIsStartedByTheSamePatch(t *testing.T) {
	caj := large(func(*batchv1.JobTemplateSpec) {})
	region := regionFacts{name: "gb", object: &carbonv1alpha1.GridRegion{Spec: carbonv1alpha1.GridRegionSpec{Placement: &carbonv1alpha1.RegionPlacement{
		NodeSelector: map[string]string{"zone": "a", "region": "gb"}, Tolerations: []corev1.Toleration{{Key: "batch"}},
		Env: []carbonv1alpha1.RegionEnvVar{{Name: "AWS_REGION", Value: "eu-west-2"}},
	}}}}
	patchOf := func(job *batchv1.Job) string {
		job.ResourceVersion = "7"
		patch, started, err := startPatch(caj, job, region, startRecord{At: noon, Region: "gb", Model: "gpt-4o-mini"})
		if err != nil {
			t.Fatal(err)
		}
		data, err := patch.Data(started)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	whole := buildJob(caj, []regionFacts{region}, "")
	whole.Spec.Template.Spec.Tolerations = []corev1.Toleration{{Key: "own"}}
	whole.ManagedFields = caj.ManagedFields
	whole.Annotations = map[string]string{"of the user": strings.Repeat("x", 1000)}
	part := trimmed(t, whole.DeepCopy())
	if len(part.Spec.Template.Spec.Containers) != 0 || part.ManagedFields != nil || part.Spec.Completions != nil ||
		len(part.Annotations) != 0 || !maps.Equal(part.Labels, map[string]string{carbonv1alpha1.LabelJob: caj.Name}) {
		t.Errorf("still there: %s", asJSON(t, part))
	}
	if got, want := patchOf(part), patchOf(whole); got != want || !strings.Contains(got, `"suspend"`) && !strings.Contains(got, carbonv1alpha1.LabelKueueQueue) {
		t.Errorf("the trimmed one is started by %s, the whole one by %s", got, want)
	}
}

// TestMemoryOfAWaitingJob decodes the two objects of a waiting job as a cache does, and weighs what is left of them.
func TestMemoryOfAWaitingJob(t *testing.T) {
	caj := large(func(t *batchv1.JobTemplateSpec) { // it selects no nodes, and a downgrade needs one variable
		t.Spec.Template.Annotations, t.Spec.Template.Spec.NodeSelector, t.Spec.Template.Spec.InitContainers = nil, nil, nil
	})
	caj.UID, caj.Namespace = "3f2b0c1e-5d56-4a8e-9f0e-0d2f6c1b7a90", "team-nlp"
	at := metav1.NewTime(noon)
	caj.Status = carbonv1alpha1.CarbonAwareJobStatus{
		Job: &carbonv1alpha1.JobStatus{Name: "x", UID: "9c1b7a90-5d56-4a8e-9f0e-0d2f6c1b7a90"},
		Plan: &carbonv1alpha1.PlanStatus{
			Region: "gb", Start: at, LatestStart: at, WindowStart: &at, WindowEnd: &at, DecidedAt: at, GramsPerKWh: "100", BaselineGramsPerKWh: "300",
			Signal: "Average", Quality: "Forecast", Reason: "GreenestWindow", Message: "waits 4h0m0s for 100 g/kWh in gb, 66.7 % below now",
			Candidates: []carbonv1alpha1.CandidateStatus{{Region: "gb", Start: &at, GramsPerKWh: "100", Quality: "Forecast"}},
		},
	}
	for _, c := range []string{carbonv1alpha1.ConditionReady, carbonv1alpha1.ConditionPlanned, carbonv1alpha1.ConditionEnergyKnown} {
		setCondition(&caj.Status.Conditions, noon, 1, c, metav1.ConditionTrue, "GreenestWindow", caj.Status.Plan.Message)
	}
	job := buildJob(caj, nil, "")
	job.ManagedFields = caj.ManagedFields
	for _, object := range []struct {
		of   string
		json string
		into func() any
		most uint64
	}{
		{"CarbonAwareJob", asJSON(t, caj), func() any { return &carbonv1alpha1.CarbonAwareJob{} }, 5 << 10},
		{"Job", asJSON(t, job), func() any { return &batchv1.Job{} }, 3 << 10},
	} {
		const n = 2000
		kept := make([]any, 0, n)
		before := liveMemory()
		for range n {
			decoded := object.into()
			if err := json.Unmarshal([]byte(object.json), decoded); err != nil {
				t.Fatal(err)
			}
			kept = append(kept, trimmed(t, decoded))
		}
		each := (liveMemory() - before) / n
		runtime.KeepAlive(kept)
		t.Logf("%s: %d bytes in memory, %d on the wire", object.of, each, len(object.json))
		if each > object.most {
			t.Errorf("a %s takes %d bytes, more than %d", object.of, each, object.most)
		}
	}
}

func liveMemory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
