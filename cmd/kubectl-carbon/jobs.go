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
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// jobList opens the list of the CarbonAwareJobs of a namespace (empty: of all), as JSON.
type jobList func(ctx context.Context, namespace string) (io.ReadCloser, error)

// jobListOf asks an API server, for all jobs at once. It serves such a list from its cache and writes
// it job by job, where it would read the pages of a list from etcd and hold each of them in memory.
// Nor can a list expire that is not paged.
func jobListOf(config *rest.Config) (jobList, error) {
	config = rest.CopyConfig(config)
	config.APIPath, config.GroupVersion = "/apis", &carbonv1alpha1.GroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	c, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to the cluster: %w", err)
	}
	return func(ctx context.Context, namespace string) (io.ReadCloser, error) {
		request := c.Get().Resource("carbonawarejobs").SetHeader("Accept", runtime.ContentTypeJSON)
		if namespace != "" {
			request = request.Namespace(namespace)
		}
		return request.Stream(ctx) //nolint:wrapcheck // eachJob says what was read
	}, nil
}

// slimJob is what a report needs of a CarbonAwareJob. The rest, which is most of it, is skipped.
type slimJob struct {
	Metadata struct {
		Name      string    `json:"name"`
		Namespace string    `json:"namespace"`
		UID       types.UID `json:"uid"`
	} `json:"metadata"`
	Status struct {
		Conditions []metav1.Condition              `json:"conditions"`
		Model      *carbonv1alpha1.ModelStatus     `json:"model"`
		Job        *carbonv1alpha1.JobStatus       `json:"job"`
		Emissions  *carbonv1alpha1.EmissionsStatus `json:"emissions"`
	} `json:"status"`
}

// full has the slim job's fields where they are in the API.
func (s *slimJob) full() *carbonv1alpha1.CarbonAwareJob {
	return &carbonv1alpha1.CarbonAwareJob{
		ObjectMeta: metav1.ObjectMeta{Name: s.Metadata.Name, Namespace: s.Metadata.Namespace, UID: s.Metadata.UID},
		Status: carbonv1alpha1.CarbonAwareJobStatus{
			Conditions: s.Status.Conditions, Model: s.Status.Model, Job: s.Status.Job, Emissions: s.Status.Emissions,
		},
	}
}

// eachJob hands over every CarbonAwareJob of the namespace (empty: of all), with the fields of slimJob.
// Jobs are read one by one while they come in: one is in memory, however many there are.
func eachJob(ctx context.Context, list jobList, namespace string, use func(*carbonv1alpha1.CarbonAwareJob)) error {
	body, err := list(ctx, namespace)
	if err != nil {
		return fmt.Errorf("listing CarbonAwareJobs: %w", err)
	}
	defer body.Close() //nolint:errcheck // it was only read
	// What the API server writes is not checked again: that takes time.
	d := jsontext.NewDecoder(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := readJobsOf(d, use); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("listing CarbonAwareJobs: the answer cannot be read to its end: %w", err)
	}
	return nil
}

// readJobsOf reads a list from its first brace to the last: one that was cut off is an error.
func readJobsOf(d *jsontext.Decoder, use func(*carbonv1alpha1.CarbonAwareJob)) error {
	return members(d, jsontext.KindBeginObject, func() error {
		key, err := d.ReadToken()
		if err != nil {
			return err //nolint:wrapcheck // eachJob says what was read
		}
		if key.String() != "items" {
			return d.SkipValue() //nolint:wrapcheck // as above
		}
		return members(d, jsontext.KindBeginArray, func() error {
			var job slimJob
			if err := json.UnmarshalDecode(d, &job); err != nil {
				return err //nolint:wrapcheck // as above
			}
			use(job.full())
			return nil
		})
	})
}

// members calls read for everything between an opening brace or bracket and the closing one; for nothing
// when there is null instead.
func members(d *jsontext.Decoder, open jsontext.Kind, read func() error) error {
	first, err := d.ReadToken()
	if err != nil {
		return err //nolint:wrapcheck // eachJob says what was read
	}
	switch first.Kind() {
	case jsontext.KindNull:
		return nil
	case open:
	default:
		return fmt.Errorf("%s is not the %s of a list", first, open)
	}
	for next := d.PeekKind(); next != jsontext.KindEndObject && next != jsontext.KindEndArray; next = d.PeekKind() {
		if err := read(); err != nil {
			return err
		}
	}
	_, err = d.ReadToken()
	return err //nolint:wrapcheck // as above
}
