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
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

const (
	// regionIndex finds the CarbonAwareJobs that care about a region.
	regionIndex = "carbon.ecotracker.dev/region"
	// anyDefault is the index value of those that name no region.
	anyDefault = "*"
)

func indexByRegion(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &carbonv1alpha1.CarbonAwareJob{}, regionIndex, func(object client.Object) []string {
		caj, ok := object.(*carbonv1alpha1.CarbonAwareJob)
		if !ok || !caresAboutRegions(caj) {
			return nil
		}
		if len(caj.Spec.Regions) == 0 {
			return []string{anyDefault}
		}
		return caj.Spec.Regions
	})
	if err != nil {
		return fmt.Errorf("indexing CarbonAwareJobs by region: %w", err)
	}
	return nil
}

// caresAboutRegions: a job does until its start, for its plan, and from its end until its record is
// final. In between, news of a region change nothing for it.
func caresAboutRegions(caj *carbonv1alpha1.CarbonAwareJob) bool {
	conditions := caj.Status.Conditions
	if isTrue(conditions, carbonv1alpha1.ConditionComplete) || isTrue(conditions, carbonv1alpha1.ConditionFailed) {
		return !recordIsFinal(caj)
	}
	return !isTrue(conditions, carbonv1alpha1.ConditionStarted)
}

// jobsOfRegion maps a region to the jobs that care about it. Those that name no region are always
// told: whether a region is the default one may have just changed.
func jobsOfRegion(c client.Reader) handler.MapFunc {
	return func(ctx context.Context, region client.Object) []reconcile.Request {
		var requests []reconcile.Request
		for _, value := range []string{region.GetName(), anyDefault} {
			var jobs carbonv1alpha1.CarbonAwareJobList
			if err := c.List(ctx, &jobs, client.MatchingFields{regionIndex: value},
				client.UnsafeDisableDeepCopy, client.DisableReadYourWritesConsistency); err != nil {
				ctrl.LoggerFrom(ctx).Error(err, "Cannot list the CarbonAwareJobs of a region", "region", region.GetName())
				return nil
			}
			for i := range jobs.Items {
				key := types.NamespacedName{Namespace: jobs.Items[i].Namespace, Name: jobs.Items[i].Name}
				requests = append(requests, reconcile.Request{NamespacedName: key})
			}
		}
		return requests
	}
}
