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
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// IntensitySource is one source of carbon intensity.
// +kubebuilder:validation:XValidation:rule="(has(self.trace) ? 1 : 0) + (has(self.static) ? 1 : 0) + (has(self.ukCarbonIntensity) ? 1 : 0) + (has(self.energyCharts) ? 1 : 0) + (has(self.electricityMaps) ? 1 : 0) + (has(self.wattTime) ? 1 : 0) + (has(self.carbonAwareSDK) ? 1 : 0) == 1",message="exactly one source must be set: ukCarbonIntensity, electricityMaps, wattTime, energyCharts, carbonAwareSDK, trace or static"
// +kubebuilder:validation:MinProperties=1
type IntensitySource struct {
	// ukCarbonIntensity asks the Carbon Intensity API of Great Britain, which needs no key.
	// +optional
	UKCarbonIntensity *UKCarbonIntensitySource `json:"ukCarbonIntensity,omitempty"`

	// electricityMaps asks the API of Electricity Maps, which needs a token with access to forecasts.
	// +optional
	ElectricityMaps *ElectricityMapsSource `json:"electricityMaps,omitempty"`

	// wattTime asks the API of WattTime for marginal intensities. It needs an account.
	// +optional
	WattTime *WattTimeSource `json:"wattTime,omitempty"`

	// energyCharts asks the API of Fraunhofer ISE for a European country, which needs no key.
	// +optional
	EnergyCharts *EnergyChartsSource `json:"energyCharts,omitempty"`

	// carbonAwareSDK asks a Web API of the Green Software Foundation's Carbon Aware SDK that you run.
	// +optional
	CarbonAwareSDK *CarbonAwareSDKSource `json:"carbonAwareSDK,omitempty"`

	// trace reads forecast and actual intensities from a CSV table in a ConfigMap.
	// +optional
	Trace *TraceSource `json:"trace,omitempty"`

	// static is one intensity that never changes.
	// +optional
	Static *StaticSource `json:"static,omitempty"`
}

// Signal is the kind of intensity that the source gives.
func (s *IntensitySource) Signal() IntensitySignal {
	signal := IntensitySignal("")
	switch {
	case s.WattTime != nil:
		signal = SignalMarginal
	case s.CarbonAwareSDK != nil:
		signal = s.CarbonAwareSDK.Signal
	case s.Trace != nil:
		signal = s.Trace.Signal
	case s.Static != nil:
		signal = s.Static.Signal
	}
	if signal == SignalMarginal {
		return SignalMarginal
	}
	return SignalAverage
}

// Name is the name that the source has in the spec; empty when none is set.
func (s *IntensitySource) Name() string {
	switch {
	case s.UKCarbonIntensity != nil:
		return "ukCarbonIntensity"
	case s.ElectricityMaps != nil:
		return "electricityMaps"
	case s.WattTime != nil:
		return "wattTime"
	case s.EnergyCharts != nil:
		return "energyCharts"
	case s.CarbonAwareSDK != nil:
		return "carbonAwareSDK"
	case s.Trace != nil:
		return "trace"
	case s.Static != nil:
		return "static"
	}
	return ""
}

// UKCarbonIntensitySource is the Carbon Intensity API of Great Britain, https://carbonintensity.org.uk.
// +kubebuilder:validation:MinProperties=0
type UKCarbonIntensitySource struct {
	// regionID is a region of that API, 1 to 17: 1 North Scotland, 2 South Scotland, 3 North West
	// England, 4 North East England, 5 Yorkshire, 6 North Wales and Merseyside, 7 South Wales, 8 West
	// Midlands, 9 East Midlands, 10 East England, 11 South West England, 12 South England, 13 London,
	// 14 South East England, 15 England, 16 Scotland, 17 Wales. Regions have no actual intensities.
	// Unset means the whole nation, which has.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=17
	RegionID int32 `json:"regionID,omitempty"`
}

// ElectricityMapsSource is the API of Electricity Maps, https://api.electricitymaps.com.
type ElectricityMapsSource struct {
	// zone of Electricity Maps, for example DE or US-CAL-CISO.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$`
	Zone string `json:"zone,omitempty"`

	// tokenSecretRef names the API token: a key of a Secret in the operator's own namespace.
	// +required
	TokenSecretRef SecretKeyReference `json:"tokenSecretRef,omitzero"`
}

// WattTimeSource is version 3 of the API of WattTime, https://docs.watttime.org: the signal co2_moer,
// the intensity of the generation that answers one more kWh of demand.
type WattTimeSource struct {
	// region of WattTime, for example CAISO_NORTH or PJM_DC.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`
	Region string `json:"region,omitempty"`

	// credentialsSecretRef names the account: a Secret in the operator's own namespace with the keys
	// username and password.
	// +required
	CredentialsSecretRef SecretReference `json:"credentialsSecretRef,omitzero"`
}

// SecretReference names a Secret in the operator's own namespace.
type SecretReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// SecretKeyReference names one key of a Secret in the operator's own namespace.
type SecretKeyReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// key in the Secret's data. Unset means token.
	// +optional
	// +kubebuilder:default="token"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// EnergyChartsSource is the API of Fraunhofer ISE, https://api.energy-charts.info.
type EnergyChartsSource struct {
	// country is one that the API knows: an ISO 3166-1 alpha-2 code in small letters, for example de, or
	// uk for Great Britain, nie for Northern Ireland, xk for Kosovo, eu for the European Union, all for
	// Europe.
	// +required
	// +kubebuilder:validation:Enum=al;all;am;at;az;ba;be;bg;by;ch;cy;cz;de;dk;ee;es;eu;fi;fr;ge;gr;hr;hu;ie;it;lt;lu;lv;md;me;mk;mt;nie;nl;no;pl;pt;ro;rs;ru;se;si;sk;tr;ua;uk;xk
	Country string `json:"country,omitempty"`
}

// CarbonAwareSDKSource is a Web API of the Carbon Aware SDK.
type CarbonAwareSDKSource struct {
	// endpoint is its address, for example https://carbon.example.org. One inside the cluster, or with
	// plain http, needs the manager's flag --allow-private-sources.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$`
	Endpoint string `json:"endpoint,omitempty"`

	// location as the API names it, by default an Azure region such as uksouth.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Location string `json:"location,omitempty"`

	// signal says what kind of intensity the API gives: Marginal when WattTime is the provider behind it.
	// Unset means Average.
	// +optional
	// +kubebuilder:default=Average
	Signal IntensitySignal `json:"signal,omitempty"`
}

// TraceSource is a CSV table with the columns from, to, intensity_forecast and, optionally,
// intensity_actual (times in RFC 3339, intensities in gCO2e/kWh).
type TraceSource struct {
	// configMapRef names the table: a key of a ConfigMap in the operator's own namespace.
	// +required
	ConfigMapRef ConfigMapKeyReference `json:"configMapRef,omitzero"`

	// replay plays the table from one of its instants, as if that instant were the moment at which
	// this GridRegion was created. Without it, the table's times are taken as they are.
	// +optional
	Replay *TraceReplay `json:"replay,omitempty"`

	// signal says what kind of intensity the table holds. Unset means Average.
	// +optional
	// +kubebuilder:default=Average
	Signal IntensitySignal `json:"signal,omitempty"`
}

// ConfigMapKeyReference names one key of a ConfigMap in the operator's own namespace.
type ConfigMapKeyReference struct {
	// name of the ConfigMap.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`

	// key in the ConfigMap's data. Unset means trace.csv.
	// +optional
	// +kubebuilder:default="trace.csv"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// TraceReplay moves a trace in time.
type TraceReplay struct {
	// from is the instant of the trace that is played at the creation of the GridRegion.
	// +required
	From metav1.Time `json:"from,omitzero"`

	// speed is how many times faster than real time the trace runs: with 360 a half-hour slot
	// lasts 5 seconds and a day 4 minutes. The trace's slot length divided by speed must be a
	// whole number of seconds. Unset means 1.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	Speed int32 `json:"speed,omitempty"`
}

// StaticSource is one carbon intensity for all times.
type StaticSource struct {
	// gramsPerKWh is the carbon intensity in gCO2e/kWh, above 0 and at most 5000.
	// +required
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).isGreaterThan(quantity('0')) && !quantity(string(self)).isGreaterThan(quantity('5000'))",message="gramsPerKWh must be a number such as \"210\", above 0 and at most 5000 gCO2e/kWh"
	GramsPerKWh resource.Quantity `json:"gramsPerKWh,omitzero"`

	// signal says what kind of intensity that is. Unset means Average.
	// +optional
	// +kubebuilder:default=Average
	Signal IntensitySignal `json:"signal,omitempty"`
}
