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

// Package audit reads the audit logs of API servers and checks with them what the operator promises:
// it is the one witness that sees every write, whoever made it and whoever was dead then.
package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Event is a write that the API server carried out, with the object that came of it.
type Event struct {
	Verb, User, Resource, Subresource, Namespace, Name string
	// Received is when the API server took the request on.
	Received time.Time
	// Version orders all writes to one etcd; where the answer had none it is that of the write before.
	Version uint64
	// At most one of the objects is set: of the kinds that the log keeps with their content.
	Job            *batchv1.Job
	CarbonAwareJob *carbonv1alpha1.CarbonAwareJob
	CarbonBudget   *carbonv1alpha1.CarbonBudget
}

type line struct {
	Verb                     string
	User                     struct{ Username string }
	ImpersonatedUser         *struct{ Username string }
	ObjectRef                *struct{ Resource, Namespace, Name, Subresource string }
	ResponseStatus           *struct{ Code int }
	ResponseObject           json.RawMessage
	RequestReceivedTimestamp metav1.MicroTime
}

// Read reads the successful writes in a namespace, in all of them when it is empty, from several logs,
// in the order in which etcd took them. A line that is not complete, because a server died while it
// wrote it, is left out. Of objects, the pod templates are left out.
func Read(namespace string, files ...string) ([]Event, error) {
	var all []Event
	for _, name := range files {
		events, err := readFile(name, []byte(`"namespace":"`+namespace))
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
	}
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.Version, b.Version) })
	return all, nil
}

// Seen is a CarbonAwareJob as it was read now, to go behind what was written. A write that was made although its client
// had gone is in no log as such: it was answered with 504.
func Seen(caj *carbonv1alpha1.CarbonAwareJob, now time.Time) Event {
	version, _ := strconv.ParseUint(caj.ResourceVersion, 10, 64)
	return Event{
		Verb: "get", Resource: "carbonawarejobs", Namespace: caj.Namespace, Name: caj.Name,
		Version: version, Received: now, CarbonAwareJob: caj,
	}
}

func readFile(name string, with []byte) ([]Event, error) {
	file, err := os.Open(name) //nolint:gosec // the test's own log
	if err != nil {
		return nil, fmt.Errorf("opening an audit log: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	var events []Event
	latest := uint64(0)
	reader := bufio.NewReaderSize(file, 1<<20)
	for {
		text, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		if !bytes.Contains(text, with) {
			continue
		}
		if event, ok := parse(text); ok {
			if event.Version == 0 { // a write whose answer has no version, such as a delete
				event.Version = latest
			}
			latest = max(latest, event.Version)
			events = append(events, event)
		}
	}
}

func parse(text []byte) (Event, bool) {
	var l line
	if json.Unmarshal(bytes.TrimSpace(text), &l) != nil || l.ObjectRef == nil || l.ResponseStatus == nil || l.ResponseStatus.Code >= 300 {
		return Event{}, false
	}
	e := Event{
		Verb: l.Verb, User: l.User.Username, Resource: l.ObjectRef.Resource, Subresource: l.ObjectRef.Subresource,
		Namespace: l.ObjectRef.Namespace, Name: l.ObjectRef.Name, Received: l.RequestReceivedTimestamp.Time,
	}
	if l.ImpersonatedUser != nil {
		e.User = l.ImpersonatedUser.Username
	}
	var head struct {
		Kind     string
		Metadata struct{ Name, ResourceVersion string }
	}
	if json.Unmarshal(l.ResponseObject, &head) != nil {
		return e, true
	}
	e.Version, _ = strconv.ParseUint(head.Metadata.ResourceVersion, 10, 64)
	if e.Name == "" {
		e.Name = head.Metadata.Name
	}
	return e, e.decode(head.Kind, l.ResponseObject)
}

// decode takes over the object; it is false when the object cannot be read.
func (e *Event) decode(kind string, object json.RawMessage) bool {
	switch {
	case e.Resource == "jobs" && kind == "Job":
		e.Job = &batchv1.Job{}
		err := json.Unmarshal(object, e.Job)
		e.Job.Spec.Template = corev1.PodTemplateSpec{}
		return err == nil
	case e.Resource == "carbonawarejobs" && kind == "CarbonAwareJob":
		e.CarbonAwareJob = &carbonv1alpha1.CarbonAwareJob{}
		err := json.Unmarshal(object, e.CarbonAwareJob)
		e.CarbonAwareJob.Spec.JobTemplate = nil
		return err == nil
	case e.Resource == "carbonbudgets" && kind == "CarbonBudget":
		e.CarbonBudget = &carbonv1alpha1.CarbonBudget{}
		return json.Unmarshal(object, e.CarbonBudget) == nil
	}
	return true
}
