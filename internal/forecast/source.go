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

package forecast

import (
	"context"
	"net/http"
	"time"
)

// Source is a provider of carbon intensities that is asked over the network.
type Source interface {
	// Name of the source, as it stands in a GridRegion's spec.
	Name() string
	// Cadence is how often the source has news.
	Cadence() time.Duration
	// Read asks once for what is known around now: average intensities in gCO2e/kWh, forecast and, where
	// the source publishes them, actual ones. A failure is a *SourceError.
	Read(ctx context.Context, client *http.Client, now time.Time) (Trace, error)
}
