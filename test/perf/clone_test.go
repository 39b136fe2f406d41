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
package perf

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes/scheme"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
)

// Planning a hundred thousand jobs takes the API server a quarter of an hour, and says nothing new of the
// operator. So most of the jobs of the scale curve are copies of the first one, with names and UIDs of
// their own, which are put into etcd as the API server would have done.

// clone copies job-0 and its Job as job-from to job-(to-1), each with a revision of its own: a watch that begins
// anew between two objects of one kind and one revision misses the second, which the API server never writes.
func (b *bench) clone(ns string, from, to int) {
	b.t.Helper()
	first := key(ns, 0).Name
	job, caj := b.stored("/registry/jobs/"+ns+"/"+first), b.stored("/registry/carbon.ecotracker.dev/carbonawarejobs/"+ns+"/"+first)
	for i := from; i < to; i++ {
		name, uid, jobUID := key(ns, i).Name, uuid.NewUUID(), uuid.NewUUID()
		b.etcd("/v3/kv/txn", map[string]any{"success": []any{
			put("/registry/carbon.ecotracker.dev/carbonawarejobs/"+ns+"/"+name, b.cloneOwner(caj, name, uid, jobUID)),
			put("/registry/jobs/"+ns+"/"+name, b.cloneJob(job, name, uid, jobUID)),
		}})
	}
}

func put(key string, value []byte) any {
	return map[string]any{"requestPut": map[string]string{
		"key": base64.StdEncoding.EncodeToString([]byte(key)), "value": base64.StdEncoding.EncodeToString(value),
	}}
}

// stored is an object as it is in etcd.
func (b *bench) stored(key string) []byte {
	b.t.Helper()
	var answer struct{ Kvs []struct{ Value []byte } }
	check(b.t, json.Unmarshal(b.etcd("/v3/kv/range", map[string]string{"key": base64.StdEncoding.EncodeToString([]byte(key))}), &answer))
	if len(answer.Kvs) != 1 {
		b.t.Fatalf("etcd has no %s", key)
	}
	return answer.Kvs[0].Value
}

// clear removes what is stored under a prefix at once, as nothing but the end of a measurement may.
func (b *bench) clear(prefix string) {
	b.t.Helper()
	end := []byte(prefix)
	end[len(end)-1]++
	b.etcd("/v3/kv/deleterange", map[string]string{
		"key": base64.StdEncoding.EncodeToString([]byte(prefix)), "range_end": base64.StdEncoding.EncodeToString(end),
	})
}

// etcd sends a request to the JSON gateway of etcd and returns the answer.
func (b *bench) etcd(path string, request any) []byte {
	b.t.Helper()
	body, err := json.Marshal(request)
	check(b.t, err)
	r, err := http.NewRequestWithContext(b.ctx, http.MethodPost, b.plane.EtcdURL()+path, bytes.NewReader(body))
	check(b.t, err)
	response, err := http.DefaultClient.Do(r)
	check(b.t, err)
	defer func() { _ = response.Body.Close() }() // all of it has been read
	answer, err := io.ReadAll(response.Body)
	check(b.t, err)
	if response.StatusCode != http.StatusOK {
		b.t.Fatalf("etcd: %s: %s", response.Status, answer)
	}
	return answer
}

func (b *bench) cloneOwner(stored []byte, name string, uid, jobUID types.UID) []byte {
	b.t.Helper()
	caj := &unstructured.Unstructured{}
	check(b.t, json.Unmarshal(stored, &caj.Object))
	caj.SetName(name)
	caj.SetUID(uid)
	check(b.t, unstructured.SetNestedField(caj.Object, name, "status", "job", "name"))
	check(b.t, unstructured.SetNestedField(caj.Object, string(jobUID), "status", "job", "uid"))
	data, err := json.Marshal(caj.Object)
	check(b.t, err)
	return data
}

func (b *bench) cloneJob(stored []byte, name string, uid, jobUID types.UID) []byte {
	b.t.Helper()
	object, err := runtime.Decode(scheme.Codecs.UniversalDeserializer(), stored)
	check(b.t, err)
	job, ok := object.(*batchv1.Job)
	if !ok {
		b.t.Fatalf("etcd has a %T where a Job should be", object)
	}
	job.Name, job.UID, job.Labels[carbonv1alpha1.LabelJob] = name, jobUID, name
	job.OwnerReferences[0].Name, job.OwnerReferences[0].UID = name, uid
	const controllerUID = "batch.kubernetes.io/controller-uid"
	job.Spec.Selector.MatchLabels[controllerUID], job.Spec.Template.Labels[controllerUID] = string(jobUID), string(jobUID)
	info, ok := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	if !ok {
		b.t.Fatal("the client has no protobuf")
	}
	data, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, batchv1.SchemeGroupVersion), job)
	check(b.t, err)
	return data
}
