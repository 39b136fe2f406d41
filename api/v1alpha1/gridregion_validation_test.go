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

package v1alpha1_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

const minimalRegion = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: GridRegion
metadata: {name: de}
spec:
  source:
    static: {gramsPerKWh: "380"}
`

const fullRegion = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: GridRegion
metadata:
  name: gb
  annotations: {carbon.ecotracker.dev/is-default-region: "true"}
spec:
  source:
    trace:
      configMapRef: {name: trace, key: gb.csv}
      replay: {from: "2026-01-01T00:00:00Z", speed: 360}
  placement:
    nodeSelector: {topology.kubernetes.io/region: uksouth}
    tolerations: [{key: region, operator: Equal, value: uksouth, effect: NoSchedule}]
    env: [{name: AWS_REGION, value: eu-west-2}]
`

const tracedRegion = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: GridRegion
metadata: {name: gb}
spec:
  source:
    trace:
      configMapRef: {name: trace}
      replay: {from: "2026-01-01T00:00:00Z"}
`

func TestGridRegionDefaults(t *testing.T) {
	got := created(t, gridRegionCRD, tracedRegion)
	want := changed(t, tracedRegion, "spec: {source: {trace: {configMapRef: {key: trace.csv}, replay: {speed: 1}, signal: Average}}}")
	expectSame(t, got, want)
}

const marginalRegion = `
apiVersion: carbon.ecotracker.dev/v1alpha1
kind: GridRegion
metadata: {name: us-west-1}
spec:
  source:
    wattTime: {region: CAISO_NORTH, credentialsSecretRef: {name: watttime}}
  fallbacks:
  - carbonAwareSDK: {endpoint: "https://carbon.example.org", location: westus, signal: Marginal}
  - trace: {configMapRef: {name: caiso, key: trace.csv}, signal: Marginal}
`

// TestGridRegionSignal holds that a region has one signal, for good.
func TestGridRegionSignal(t *testing.T) {
	v := loadCRD(t, gridRegionCRD)
	expectSame(t, created(t, gridRegionCRD, marginalRegion), changed(t, marginalRegion, ""))
	expectAccepted(t, v.Create(t.Context(), changed(t, minimalRegion, `spec: {source: {static: {signal: Marginal}}}`)))
	update := func(valid, change string) field.ErrorList {
		old := created(t, gridRegionCRD, valid)
		return v.Update(t.Context(), changed(t, valid, change), old)
	}
	const changes = "cannot change between average and marginal: create another GridRegion"
	expectError(t, update(marginalRegion, "spec: {source: {wattTime: null, ukCarbonIntensity: {}}, fallbacks: null}"), "spec", changes)
	expectError(t, update(tracedRegion, "spec: {source: {trace: {signal: Marginal}}}"), "spec", changes)
	expectAccepted(t, update(marginalRegion, "spec: {source: {wattTime: {region: PJM_DC}}}"))
	expectAccepted(t, update(marginalRegion, "spec: {source: {wattTime: null, trace: {configMapRef: {name: caiso}, signal: Marginal}}}"))
	expectAccepted(t, update(tracedRegion, "spec: {source: {trace: null, ukCarbonIntensity: {}}, annualMean: GBR}"))
}

func TestGridRegionRefusesMixedSignals(t *testing.T) {
	const mixed = "fallbacks must give the same signal as the source"
	expectRefused(t, gridRegionCRD, marginalRegion, []invalid{
		{"average fallback", "spec: {fallbacks: [{ukCarbonIntensity: {}}]}", "spec", mixed},
		{"average trace", "spec: {fallbacks: [{trace: {configMapRef: {name: a}}}]}", "spec", mixed},
		{"average SDK", "spec: {fallbacks: [{carbonAwareSDK: {endpoint: 'https://example.org', location: a}}]}", "spec", mixed},
		{"annual mean", "spec: {annualMean: USA}", "spec", "annualMean is an average intensity and cannot stand in for a marginal one: remove it"},
		{"credentials in the clear", "spec: {source: {wattTime: {password: a}}}", "spec.source.wattTime.password", "unknown field"},
		{"no credentials", "spec: {source: {wattTime: {credentialsSecretRef: null}}}", "spec.source.wattTime.credentialsSecretRef", "Required value"},
		{"secret without a name", "spec: {source: {wattTime: {credentialsSecretRef: {name: ''}}}}", "spec.source.wattTime.credentialsSecretRef.name", "at least 1 chars"},
		{"no region", "spec: {source: {wattTime: {region: null}}}", "spec.source.wattTime.region", "Required value"},
		{"region with a path", "spec: {source: {wattTime: {region: 'PJM/../x'}}}", "spec.source.wattTime.region", "should match"},
		{"unknown signal", "spec: {fallbacks: [{trace: {configMapRef: {name: a}, signal: Median}}]}", "spec.fallbacks[0].trace.signal", "supported values"},
	})
	expectRefused(t, gridRegionCRD, tracedRegion, []invalid{
		{"marginal fallback", "spec: {fallbacks: [{wattTime: {region: PJM_DC, credentialsSecretRef: {name: a}}}]}", "spec", mixed},
		{"marginal trace", "spec: {fallbacks: [{trace: {configMapRef: {name: a}, signal: Marginal}}]}", "spec", mixed},
	})
}

func TestGridRegionKeepsWhatIsSet(t *testing.T) {
	for manifest, defaults := range map[string]string{
		minimalRegion: "spec: {source: {static: {signal: Average}}}", fullRegion: "spec: {source: {trace: {signal: Average}}}",
	} {
		expectSame(t, created(t, gridRegionCRD, manifest), changed(t, manifest, defaults))
	}
}

func TestGridRegionRefuses(t *testing.T) {
	const intensity = `must be a number such as "210", above 0 and at most 5000 gCO2e/kWh`
	const envName = "letters, digits and underscores, start with a letter and end with a letter or digit"
	rows := []invalid{
		{"no spec", "spec: null", "spec", "Required value"},
		{"no source", "spec: {source: null}", "spec.source", "Required value"},
		{"empty source", "spec: {source: {trace: null}}", "spec.source", "exactly one source must be set: ukCarbonIntensity, electricityMaps, wattTime, energyCharts, carbonAwareSDK, trace or static"},
		{"two sources", `spec: {source: {static: {gramsPerKWh: "1"}}}`, "spec.source", "exactly one source must be set: ukCarbonIntensity, electricityMaps, wattTime, energyCharts, carbonAwareSDK, trace or static"},
		{"unknown source", "spec: {source: {trace: null, crystalBall: {}}}", "spec.source.crystalBall", "unknown field"},
		{"long name", "metadata: {name: a123456789012345678901234567890123456789012345678901234567890123}", "<nil>", "metadata.name must be at most 63 characters long"},

		{"no intensity", "spec: {source: {trace: null, static: {}}}", "spec.source.static.gramsPerKWh", "Required value"},
		{"intensity of zero", `spec: {source: {trace: null, static: {gramsPerKWh: "0"}}}`, "spec.source.static.gramsPerKWh", intensity},
		{"negative intensity", `spec: {source: {trace: null, static: {gramsPerKWh: "-3"}}}`, "spec.source.static.gramsPerKWh", intensity},
		{"intensity in tons", "spec: {source: {trace: null, static: {gramsPerKWh: 210k}}}", "spec.source.static.gramsPerKWh", intensity},
		{"intensity in words", "spec: {source: {trace: null, static: {gramsPerKWh: green}}}", "spec.source.static.gramsPerKWh", intensity},

		{"trace from nowhere", "spec: {source: {trace: {configMapRef: null}}}", "spec.source.trace.configMapRef", "Required value"},
		{"trace without a name", "spec: {source: {trace: {configMapRef: {name: null}}}}", "spec.source.trace.configMapRef.name", "Required value"},
		{"empty key", `spec: {source: {trace: {configMapRef: {key: ""}}}}`, "spec.source.trace.configMapRef.key", "at least 1 chars"},
		{"other namespace", "spec: {source: {trace: {configMapRef: {namespace: kube-system}}}}", "spec.source.trace.configMapRef.namespace", "unknown field"},
		{"replay from nowhen", "spec: {source: {trace: {replay: {from: null}}}}", "spec.source.trace.replay.from", "Required value"},
		{"replay from a day", "spec: {source: {trace: {replay: {from: yesterday}}}}", "spec.source.trace.replay.from", "must be of type date-time"},
		{"replay at rest", "spec: {source: {trace: {replay: {speed: 0}}}}", "spec.source.trace.replay.speed", "greater than or equal to 1"},
		{"replay too fast", "spec: {source: {trace: {replay: {speed: 3601}}}}", "spec.source.trace.replay.speed", "less than or equal to 3600"},

		{"region of Great Britain that is none", "spec: {source: {trace: null, ukCarbonIntensity: {regionID: 18}}}", "spec.source.ukCarbonIntensity.regionID", "less than or equal to 17"},
		{"country in capitals", "spec: {source: {trace: null, energyCharts: {country: DE}}}", "spec.source.energyCharts.country", `supported values: "al", "all", "am"`},
		{"country by another code", "spec: {source: {trace: null, energyCharts: {country: gb}}}", "spec.source.energyCharts.country", `"uk"`},
		{"token in the clear", "spec: {source: {trace: null, electricityMaps: {zone: DE, token: abc}}}", "spec.source.electricityMaps.token", "unknown field"},
		{"no token", "spec: {source: {trace: null, electricityMaps: {zone: DE}}}", "spec.source.electricityMaps.tokenSecretRef", "Required value"},
		{"secret of another namespace", "spec: {source: {trace: null, electricityMaps: {zone: DE, tokenSecretRef: {name: a, namespace: b}}}}", "spec.source.electricityMaps.tokenSecretRef.namespace", "unknown field"},
		{"zone with a path", "spec: {source: {trace: null, electricityMaps: {zone: DE/../x, tokenSecretRef: {name: a}}}}", "spec.source.electricityMaps.zone", "should match"},
		{"endpoint of a file", "spec: {source: {trace: null, carbonAwareSDK: {endpoint: 'file:///etc/passwd', location: uksouth}}}", "spec.source.carbonAwareSDK.endpoint", "should match"},
		{"endpoint with a password", "spec: {source: {trace: null, carbonAwareSDK: {endpoint: 'https://a:b@example.org', location: uksouth}}}", "spec.source.carbonAwareSDK.endpoint", "should match"},
		{"country in two letters", "spec: {annualMean: GB}", "spec.annualMean", "[A-Z]{3}"},
		{"static fallback", `spec: {fallbacks: [{static: {gramsPerKWh: "1"}}]}`, "spec.fallbacks", "set annualMean"},
		{"empty fallback", "spec: {fallbacks: [{}]}", "spec.fallbacks[0]", "exactly one source must be set"},

		{"variable with a dash", "spec: {placement: {env: [{name: AWS-REGION, value: a}]}}", "spec.placement.env[0].name", envName},
		{"variable without a value", "spec: {placement: {env: [{name: AWS_REGION}]}}", "spec.placement.env[0].value", "Required value"},
		{"variable twice", "spec: {placement: {env: [{name: A, value: a}, {name: A, value: b}]}}", "spec.placement.env[1]", "Duplicate value"},
		{"node label that is none", `spec: {placement: {nodeSelector: {"my zone": a}}}`, "spec.placement.nodeSelector", "labels of nodes as its keys"},
		{"node label with a value that is none", `spec: {placement: {nodeSelector: {zone: "UK South"}}}`, "spec.placement.nodeSelector.zone", "should match"},
		{"node label without a value", "spec: {placement: {nodeSelector: {zone: 1}}}", "spec.placement.nodeSelector.zone", "must be of type string"},
	}
	expectRefused(t, gridRegionCRD, tracedRegion, rows)
}
