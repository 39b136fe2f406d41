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

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/ecotracker-dev/ecotracker-operator/internal/report"
)

// footprint is what the operator itself emitted between two times, as a Prometheus knows it.
func footprint(ctx context.Context, address string, since, now time.Time) (*report.Operator, error) {
	if since.IsZero() {
		return nil, errors.New("--prometheus needs --since: the operator's own grams are known for a length of time only")
	}
	client, err := promapi.NewClient(promapi.Config{Address: address})
	if err != nil {
		return nil, fmt.Errorf("--prometheus: %q is not an address such as http://localhost:9090: %w", address, err)
	}
	query := fmt.Sprintf("sum(increase(ecotracker_operator_emissions_grams_total[%ds]))", int(now.Sub(since).Seconds()))
	value, _, err := promv1.NewAPI(client).Query(ctx, query, now)
	if err != nil {
		return nil, fmt.Errorf("--prometheus: asking %s: %w", address, err)
	}
	vector, ok := value.(model.Vector)
	if !ok || len(vector) != 1 {
		return nil, fmt.Errorf("--prometheus: %s knows nothing of the operator in this time: does it scrape the manager?", address)
	}
	return &report.Operator{EmittedGrams: float64(vector[0].Value)}, nil
}
