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
	"fmt"
	"time"

	"k8s.io/utils/ptr"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/policy"
)

// decideStart is the decision of the last moment: the model, by the intensity now.
func decideStart(caj *carbonv1alpha1.CarbonAwareJob, region regionFacts, now time.Time) startRecord {
	grams := region.intensityAt(now)
	record := startRecord{At: now.UTC(), Region: region.name, GramsPerKWh: gramsDecimal(grams), Queue: queueOf(caj)}
	requested := requestedModel(caj.Spec.LLM, templateOf(caj))
	record.RequestedModel, record.Model = requested, requested
	if caj.Spec.LLM == nil || caj.Spec.LLM.Downgrade == nil {
		return record
	}
	cheaper, reason, message := cheaperModel(caj)
	if reason == "" {
		var downgrade bool
		var why policy.DowngradeReason
		downgrade, why, message = policy.Downgrade(grams, float64(ptr.Deref(caj.Spec.LLM.Downgrade.AboveGramsPerKWh, 0)))
		reason = string(why)
		if downgrade {
			record.Model = cheaper
			message = fmt.Sprintf("%s instead of %s: %s", cheaper, requested, message)
		}
	}
	record.DowngradeReason, record.DowngradeMessage = reason, message
	return record
}

// cheaperModel is the model to use on a dirty grid, or the reason why there is none.
func cheaperModel(caj *carbonv1alpha1.CarbonAwareJob) (model, reason, message string) {
	requested := requestedModel(caj.Spec.LLM, templateOf(caj))
	if requested == "" {
		return "", carbonv1alpha1.ReasonModelUnknown, fmt.Sprintf(
			"the template gives %s no literal value: set spec.llm.model, else the model cannot be switched", caj.Spec.LLM.ModelEnv)
	}
	if model := caj.Spec.LLM.Downgrade.Model; model != "" {
		return model, "", ""
	}
	if model, ok := policy.DefaultDowngrade(requested); ok {
		return model, "", ""
	}
	return "", carbonv1alpha1.ReasonNoCheaperModel, fmt.Sprintf("no cheaper model is known for %s: set spec.llm.downgrade.model", requested)
}
