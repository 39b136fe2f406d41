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

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GridRegionSpec says where a region's carbon intensity comes from and what it means to run there.
// +kubebuilder:validation:XValidation:rule="!has(self.fallbacks) || self.fallbacks.all(f, (has(f.wattTime) || (has(f.carbonAwareSDK) && f.carbonAwareSDK.signal == 'Marginal') || (has(f.trace) && f.trace.signal == 'Marginal') || (has(f.static) && f.static.signal == 'Marginal')) == (has(self.source.wattTime) || (has(self.source.carbonAwareSDK) && self.source.carbonAwareSDK.signal == 'Marginal') || (has(self.source.trace) && self.source.trace.signal == 'Marginal') || (has(self.source.static) && self.source.static.signal == 'Marginal')))",message="fallbacks must give the same signal as the source: marginal (wattTime, or signal: Marginal) and average intensities are never mixed"
// +kubebuilder:validation:XValidation:rule="!has(self.annualMean) || !(has(self.source.wattTime) || (has(self.source.carbonAwareSDK) && self.source.carbonAwareSDK.signal == 'Marginal') || (has(self.source.trace) && self.source.trace.signal == 'Marginal') || (has(self.source.static) && self.source.static.signal == 'Marginal'))",message="annualMean is an average intensity and cannot stand in for a marginal one: remove it"
// +kubebuilder:validation:XValidation:rule="(has(self.source.wattTime) || (has(self.source.carbonAwareSDK) && self.source.carbonAwareSDK.signal == 'Marginal') || (has(self.source.trace) && self.source.trace.signal == 'Marginal') || (has(self.source.static) && self.source.static.signal == 'Marginal')) == (has(oldSelf.source.wattTime) || (has(oldSelf.source.carbonAwareSDK) && oldSelf.source.carbonAwareSDK.signal == 'Marginal') || (has(oldSelf.source.trace) && oldSelf.source.trace.signal == 'Marginal') || (has(oldSelf.source.static) && oldSelf.source.static.signal == 'Marginal'))",message="the source's signal cannot change between average and marginal: create another GridRegion"
type GridRegionSpec struct {
	// source is where the carbon intensity comes from: exactly one of its fields is set.
	// +required
	Source IntensitySource `json:"source,omitzero"`

	// fallbacks are tried in their order when the source does not answer. After them, the last good
	// forecast counts while it covers the present, then the mean day of the last two weeks, then
	// annualMean.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=0
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:XValidation:rule="self.all(f, !has(f.static))",message="fallbacks must not be static: set annualMean, which is the last resort"
	Fallbacks []IntensitySource `json:"fallbacks,omitempty"`

	// annualMean is the country, by its ISO 3166-1 alpha-3 code such as GBR, whose mean carbon intensity
	// of a year is used when nothing better is known. Unset means that the intensity is unknown then.
	// It is an average intensity: a region with a marginal source has none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	AnnualMean string `json:"annualMean,omitempty"`

	// maxStartsPerWindow caps how many waiting jobs start in one slot of the region's forecast, such as a
	// half hour, spread evenly over it. A job that finds the greenest slot full takes the next best one that
	// is worth waiting for, and starts at once when there is none. 0, the default, is no cap.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	MaxStartsPerWindow *int32 `json:"maxStartsPerWindow,omitempty"`

	// placement is applied to a Job that starts in this region.
	// +optional
	Placement *RegionPlacement `json:"placement,omitempty"`
}

// RegionPlacement is what is written into a Job when it starts in a region.
// +kubebuilder:validation:MinProperties=0
type RegionPlacement struct {
	// nodeSelector is added to the pod template's nodeSelector. A key that the template already
	// has with another value excludes the region for that job.
	// +optional
	// +kubebuilder:validation:MinProperties=0
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(k, size(k) <= 317 && k.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'))",message="nodeSelector must have labels of nodes as its keys, for example topology.kubernetes.io/region"
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// tolerations are added to the pod template's tolerations.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=0
	// +kubebuilder:validation:MaxItems=16
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// env is set in the containers of the pod template, so that a model hosted behind an API moves
	// to the region too, for example AWS_REGION. A variable that the template takes from elsewhere
	// (valueFrom) is left alone.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=0
	// +kubebuilder:validation:MaxItems=16
	Env []RegionEnvVar `json:"env,omitempty"`
}

// RegionEnvVar is one environment variable with the value it has in a region.
type RegionEnvVar struct {
	// name of the variable: letters, digits and underscores; it starts with a letter and ends with
	// a letter or digit.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])?$')",message="name must be made of letters, digits and underscores, start with a letter and end with a letter or digit, for example AWS_REGION"
	Name string `json:"name,omitempty"`

	// value of the variable in this region.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Value string `json:"value,omitempty"`
}

// GridRegion says where the carbon intensity of a region comes from, and what running there means.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,shortName=gr,categories=carbon
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.status.intensity.source`
// +kubebuilder:printcolumn:name="Now",type=string,JSONPath=`.status.intensity.gramsPerKWh`,description="Carbon intensity now, gCO2e/kWh"
// +kubebuilder:printcolumn:name="Quality",type=string,JSONPath=`.status.intensity.quality`
// +kubebuilder:printcolumn:name="Signal",type=string,JSONPath=`.status.intensity.signal`,priority=1
// +kubebuilder:printcolumn:name="Greenest-At",type=string,JSONPath=`.status.greenest.start`
// +kubebuilder:printcolumn:name="Greenest",type=string,JSONPath=`.status.greenest.gramsPerKWh`,description="Least carbon intensity in the forecast, gCO2e/kWh"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:validation:XValidation:rule="size(self.metadata.name) <= 63",message="metadata.name must be at most 63 characters long"
type GridRegion struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec says where the intensity comes from and what it means to run there.
	// +required
	Spec GridRegionSpec `json:"spec,omitzero"`

	// status is what is known of the region's carbon intensity.
	// +optional
	Status GridRegionStatus `json:"status,omitzero"`
}

// GridRegionList is a list of GridRegions.
// +kubebuilder:object:root=true
type GridRegionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []GridRegion `json:"items"`
}
