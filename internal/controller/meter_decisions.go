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
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/estimate"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
	"github.com/ecotracker-dev/ecotracker-operator/internal/meter"
)

// meterRoom is what the decisions take in annotations, in bytes.
const meterRoom = 4 << 10

// lookAgainAtIntensity is when a pod's intensity is compared again that holds for good, or is unknown.
const lookAgainAtIntensity = time.Hour

// meterAnnotation is an annotation or label of the template that only the operator writes; empty when
// it has none.
func meterAnnotation(template *batchv1.JobTemplateSpec) string {
	for _, key := range sortedKeys(template.Spec.Template.Annotations) {
		if strings.HasPrefix(key, meter.AnnotationPrefix) || key == carbonv1alpha1.AnnotationCounted {
			return key
		}
	}
	if _, has := template.Spec.Template.Labels[carbonv1alpha1.LabelMeter]; has {
		return carbonv1alpha1.LabelMeter
	}
	return ""
}

// intensityNews are the annotations that tell a meter the region's intensity at t; empty values where
// nothing is known.
func (r regionFacts) intensityNews(t time.Time) map[string]string {
	news := map[string]string{meter.AnnotationIntensity: "", meter.AnnotationQuality: "", meter.AnnotationUntil: ""}
	grams, quality, until, ok := forecast.ValueAt(t, append(r.layersAt(t), r.lastResort(t)...)...)
	if !ok {
		return news
	}
	news[meter.AnnotationIntensity] = string(gramsDecimal(grams))
	news[meter.AnnotationQuality] = string(quality)
	if until.Sub(t) < staticSpan/2 {
		news[meter.AnnotationUntil] = until.UTC().Format(time.RFC3339)
	}
	return news
}

// setMeterDecisions writes what was decided at the start onto the pod template, for the pods to come.
func setMeterDecisions(caj *carbonv1alpha1.CarbonAwareJob, template *metav1.ObjectMeta, region regionFacts, record startRecord) {
	if !isMetered(caj) {
		return
	}
	news := region.intensityNews(record.At)
	if plan := caj.Status.Plan; plan != nil {
		news[meter.AnnotationBaseline] = string(plan.BaselineGramsPerKWh)
	}
	if meterMode(caj) == carbonv1alpha1.MeterEnforce {
		news[meter.AnnotationModels] = modelMap(record)
		if most := maxGrams(caj); most != nil {
			news[meter.AnnotationMaxGrams] = (*most / estimate.Nanograms(podsAtOnce(&templateOf(caj).Spec))).String()
		}
	}
	for key, value := range news {
		if value != "" {
			metav1.SetMetaDataAnnotation(template, key, value)
		}
	}
}

// modelMap is the JSON object from the requested model to the one to use; empty without a downgrade.
func modelMap(record startRecord) string {
	if !record.downgraded() || record.RequestedModel == record.Model {
		return ""
	}
	text, err := json.Marshal(map[string]string{record.RequestedModel: record.Model})
	if err != nil { // strings always encode
		return ""
	}
	return string(text)
}

// podsAtOnce is how many pods of a Job may run at the same time, at least 1.
func podsAtOnce(spec *batchv1.JobSpec) int32 {
	parallel := ptr.Deref(spec.Parallelism, 1)
	if spec.Completions != nil {
		parallel = min(parallel, *spec.Completions)
	}
	return max(1, parallel)
}
