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

package envtest

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/testing/build"
)

const (
	modelAnnotation = "model.carbon.ecotracker.dev/MODEL"
	modelPath       = "metadata.annotations['model.carbon.ecotracker.dev/MODEL']"
)

var _ = Describe("A template that is edited after its Job was created and before that is on record", func() {
	It("does not run as it was before, and says so", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 200)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(0))
		w.death.reset(2, true) // after the finalizer it creates the Job, and dies before it can say so
		_, _ = w.planner.Reconcile(ctx, ctrl.Request{NamespacedName: w.key("x")})
		w.death.reset(0, false)
		w.restart()
		Expect(w.job("x").Spec.Suspend).To(HaveValue(BeTrue()))
		Expect(w.get("x").Status.Job).To(BeNil())
		image := func(name string) func(*carbonv1alpha1.CarbonAwareJob) {
			return func(caj *carbonv1alpha1.CarbonAwareJob) {
				caj.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Image = name
			}
		}
		Expect(w.edit("x", image("example.org/job:2"))).To(Succeed())
		w.pass("x")
		w.pass("x")
		Expect(w.isStarted("x")).To(BeFalse())
		Expect(reasonOf(w.get("x"), "Planned")).To(Equal("False/TemplateRejected"))
		Expect(conditionMessage(w.get("x").Status.Conditions, "Ready")).To(ContainSubstring("edit it back, or delete the CarbonAwareJob"))
		Expect(w.edit("x", image("example.org/job:1"))).To(Succeed())
		w.pass("x")
		Expect(w.isStarted("x")).To(BeTrue())
	})
})

var _ = Describe("The user's template", func() {
	literal := func(value string) corev1.EnvVar { return corev1.EnvVar{Name: "MODEL", Value: value} }
	fromSecret := corev1.EnvVar{Name: "MODEL", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "models"}, Key: "model",
	}}}
	key := corev1.EnvVar{Name: "API_KEY", ValueFrom: fromSecret.ValueFrom}
	wired := corev1.EnvVar{Name: "MODEL", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{
		APIVersion: "v1", FieldPath: modelPath,
	}}}
	container := func(name string, env ...corev1.EnvVar) corev1.Container {
		return corev1.Container{Name: name, Image: "example.org/job:1", Env: env}
	}

	DescribeTable("gets the model where it reads it",
		func(ctx context.Context, containers, initContainers []corev1.Container, annotations map[string]string, model string, wantModel, wantDowngraded string, wantEnv ...[]corev1.EnvVar) {
			w := newWorld(ctx)
			gb := w.trace("gb", nil, flat(20, 400)...)
			w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(0).Model("MODEL", model, "small", 100).
				Template(func(t *batchv1.JobTemplateSpec) {
					t.Spec.Template.Annotations = annotations
					t.Spec.Template.Spec.Containers, t.Spec.Template.Spec.InitContainers = containers, initContainers
				}))
			w.plan("x")
			w.startDue("x")
			w.running("x", w.start)
			w.plan("x")
			pod := w.job("x").Spec.Template
			Expect(pod.Annotations[modelAnnotation]).To(Equal(wantModel))
			Expect(reasonOf(w.get("x"), "Downgraded")).To(Equal(wantDowngraded))
			for i, c := range append(pod.Spec.Containers, pod.Spec.InitContainers...) {
				Expect(c.Env).To(Equal(wantEnv[i]), "container %s", c.Name)
			}
		},
		Entry("as a literal", []corev1.Container{container("a", literal("big"))}, nil, nil, "",
			"small", "True/DirtyGrid", []corev1.EnvVar{wired}),
		Entry("as valueFrom, with llm.model", []corev1.Container{container("a", fromSecret)}, nil, nil, "big",
			"small", "True/DirtyGrid", []corev1.EnvVar{wired}),
		Entry("as valueFrom, without llm.model: unknown, so left alone", []corev1.Container{container("a", fromSecret)}, nil, nil, "",
			"", "False/ModelUnknown", []corev1.EnvVar{fromSecret}),
		Entry("not at all, with llm.model", []corev1.Container{container("a"), container("b")}, nil, nil, "big",
			"small", "True/DirtyGrid", []corev1.EnvVar{wired}, []corev1.EnvVar{wired}),
		Entry("not at all, without llm.model: unknown", []corev1.Container{container("a")}, nil, nil, "",
			"", "False/ModelUnknown", nil),
		Entry("from the annotation already", []corev1.Container{container("a", wired)}, nil, map[string]string{modelAnnotation: "big"}, "",
			"small", "True/DirtyGrid", []corev1.EnvVar{wired}),
		Entry("in several containers and an init container; another model stays", []corev1.Container{
			container("a", literal("big")), container("b", literal("judge")), container("c"),
		}, []corev1.Container{container("i", literal("big"))}, nil, "",
			"small", "True/DirtyGrid", []corev1.EnvVar{wired}, []corev1.EnvVar{literal("judge")}, nil, []corev1.EnvVar{wired}),
		Entry("after a secret, beside a container that reads none", []corev1.Container{
			container("a"), container("b", key, literal("big")),
		}, nil, nil, "",
			"small", "True/DirtyGrid", nil, []corev1.EnvVar{key, wired}),
		Entry("as two literals in one container: the last one counts, as for the kubelet",
			[]corev1.Container{container("a", literal("old"), literal("big"))}, nil, nil, "",
			"small", "True/DirtyGrid", []corev1.EnvVar{literal("old"), wired}),
	)

	It("leaves room for what the start adds", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 400)...)
		huge := map[string]string{"example.org/note": strings.Repeat("x", 256<<10-20)}
		w.create(build.CarbonAwareJob("job", w.namespace).Regions(gb).MaxDelay(0).
			Template(func(t *batchv1.JobTemplateSpec) { t.Annotations = huge }))
		w.create(build.CarbonAwareJob("pod", w.namespace).Regions(gb).MaxDelay(0).Model("MODEL", "big", "small", 100).
			Template(func(t *batchv1.JobTemplateSpec) { t.Spec.Template.Annotations = huge }))
		w.create(build.CarbonAwareJob("fits", w.namespace).Regions(gb).MaxDelay(0).
			Template(func(t *batchv1.JobTemplateSpec) { t.Spec.Template.Annotations = huge }))
		for name, field := range map[string]string{"job": "jobTemplate.metadata.annotations", "pod": "jobTemplate.spec.template.metadata.annotations"} {
			w.plan(name)
			Expect(readyOf(w.get(name))).To(Equal("Invalid"))
			Expect(conditionMessage(w.get(name).Status.Conditions, "Ready")).To(And(HavePrefix(field), ContainSubstring("into a ConfigMap")))
			w.noJob(name)
		}
		w.plan("fits")
		w.startDue("fits")
		Expect(w.job("fits").Spec.Suspend).To(HaveValue(BeFalse()))
	})

	It("may not ask for two models", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 400)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).Env("MODEL", "big").Model("MODEL", "other", "small", 100))
		w.plan("x")
		Expect(readyOf(w.get("x"))).To(Equal("Invalid"))
		Expect(reasonOf(w.get("x"), "Planned")).To(Equal("False/ModelConflict"))
		w.noJob("x")
		By("being fixed")
		Expect(w.edit("x", func(caj *carbonv1alpha1.CarbonAwareJob) { caj.Spec.LLM.Model = "big" })).To(Succeed())
		w.plan("x")
		Expect(w.job("x").Spec.Template.Annotations).To(HaveKeyWithValue(modelAnnotation, "big"))
	})

	It("says when no cheaper model is known", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 400)...)
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(gb).MaxDelay(0).Env("MODEL", "our-own").Model("MODEL", "", "", 100))
		w.plan("x")
		w.startDue("x")
		w.running("x", w.start)
		w.plan("x")
		Expect(reasonOf(w.get("x"), "Downgraded")).To(Equal("False/NoCheaperModel"))
		Expect(w.job("x").Spec.Template.Annotations).To(HaveKeyWithValue(modelAnnotation, "our-own"))
	})

	It("gets the region's variables, nodeSelector and tolerations, and keeps its own", func(ctx context.Context) {
		w := newWorld(ctx)
		toleration := corev1.Toleration{Key: "green", Operator: corev1.TolerationOpExists}
		own := corev1.Toleration{Key: "gpu", Operator: corev1.TolerationOpExists}
		de := w.trace("de", &carbonv1alpha1.RegionPlacement{
			NodeSelector: map[string]string{"region": "de"}, Tolerations: []corev1.Toleration{toleration, own},
			Env: []carbonv1alpha1.RegionEnvVar{{Name: "AWS_REGION", Value: "eu-central-1"}, {Name: "OTHER", Value: "unused"}},
		}, flat(20, 100)...)
		valueFrom := corev1.EnvVar{Name: "OTHER", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.name"}}}
		w.create(build.CarbonAwareJob("x", w.namespace).Regions(de).MaxDelay(0).Env("AWS_REGION", "eu-west-2").
			Template(func(t *batchv1.JobTemplateSpec) {
				pod := &t.Spec.Template.Spec
				pod.NodeSelector = map[string]string{"disk": "ssd", "region": "de"}
				pod.Tolerations = []corev1.Toleration{own}
				pod.Containers[0].Env = append(pod.Containers[0].Env, valueFrom)
			}))
		w.plan("x")
		Expect(w.job("x").Spec.Template.Annotations).To(HaveKeyWithValue("model.carbon.ecotracker.dev/AWS_REGION", "eu-west-2"), "its own value until the start")
		w.startDue("x")
		pod := w.job("x").Spec.Template
		Expect(pod.Annotations).To(HaveKeyWithValue("model.carbon.ecotracker.dev/AWS_REGION", "eu-central-1"))
		Expect(pod.Spec.NodeSelector).To(Equal(map[string]string{"disk": "ssd", "region": "de"}))
		Expect(pod.Spec.Tolerations).To(Equal([]corev1.Toleration{own, toleration}))
		Expect(pod.Spec.Containers[0].Env[0].ValueFrom.FieldRef.FieldPath).To(ContainSubstring("AWS_REGION"))
		Expect(pod.Spec.Containers[0].Env[1]).To(Equal(valueFrom))
	})

	It("excludes a region that it contradicts, and is invalid when it contradicts all", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", &carbonv1alpha1.RegionPlacement{NodeSelector: map[string]string{"zone": "gb"}}, flat(20, 300)...)
		de := w.trace("de", &carbonv1alpha1.RegionPlacement{NodeSelector: map[string]string{"zone": "de"}}, flat(20, 100)...)
		inGB := func(t *batchv1.JobTemplateSpec) { t.Spec.Template.Spec.NodeSelector = map[string]string{"zone": "gb"} }
		w.create(build.CarbonAwareJob("both", w.namespace).Regions(gb, de).Template(inGB))
		w.plan("both")
		plan := w.get("both").Status.Plan
		Expect(plan.Region).To(Equal(gb))
		Expect(plan.Candidates[1].Excluded).To(ContainSubstring("zone=gb"))

		w.create(build.CarbonAwareJob("only", w.namespace).Regions(de).Template(inGB))
		w.plan("only")
		Expect(readyOf(w.get("only"))).To(Equal("Invalid"))
		Expect(reasonOf(w.get("only"), "Planned")).To(Equal("False/PlacementConflict"))
		w.noJob("only")
		By("recovering when the region changes, without an edit of the job")
		w.editRegion(de, func(r *carbonv1alpha1.GridRegion) { r.Spec.Placement = nil })
		w.plan("only")
		Expect(w.job("only").Spec.Template.Spec.NodeSelector).To(Equal(map[string]string{"zone": "gb"}))
	})

	It("is otherwise untouched", func(ctx context.Context) {
		w := newWorld(ctx)
		gb := w.trace("gb", nil, flat(20, 300)...)
		rich := func(t *batchv1.JobTemplateSpec) {
			t.Labels, t.Annotations = map[string]string{"team": "nlp"}, map[string]string{"note": "kept"}
			indexed := batchv1.IndexedCompletion
			t.Spec.CompletionMode, t.Spec.Completions, t.Spec.Parallelism = &indexed, new(int32(6)), new(int32(3))
			t.Spec.BackoffLimitPerIndex, t.Spec.MaxFailedIndexes = new(int32(1)), new(int32(2))
			t.Spec.ActiveDeadlineSeconds, t.Spec.TTLSecondsAfterFinished = new(int64(3600)), new(int32(600))
			t.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
				Action: batchv1.PodFailurePolicyActionIgnore,
				OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{
					Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue,
				}},
			}}}
			t.Spec.Template.Labels = map[string]string{"app": "eval"}
			t.Spec.Template.Spec.ServiceAccountName = "eval"
			t.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
		}
		j := build.CarbonAwareJob("x", w.namespace).Regions(gb).Template(rich)
		w.create(j)
		w.plan("x")
		template := j.Obj().Spec.JobTemplate
		plain := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "plain", Namespace: w.namespace}, Spec: template.Spec}
		plain.Spec.Suspend = new(true)
		Expect(api.Create(ctx, plain)).To(Succeed())

		job := w.job("x")
		Expect(job.Labels).To(HaveKeyWithValue("team", "nlp"))
		Expect(job.Annotations).To(HaveKeyWithValue("note", "kept"))
		for _, spec := range []*batchv1.JobSpec{&job.Spec, &plain.Spec} { // what the API server adds to each Job
			spec.Selector = nil
			for _, label := range []string{"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"} {
				delete(spec.Template.Labels, label)
			}
		}
		Expect(job.Spec).To(Equal(plain.Spec))
	})
})
