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
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

const (
	// maxKept is the most that is kept of all answers together, maxKeptEach of one, in bytes.
	maxKept     = 4 << 20
	maxKeptEach = 512 << 10
)

// conditional asks a source that marks its answers (ETag, Last-Modified; RFC 9110, section 13) only for
// what is new: when the source says that nothing has changed since, the answer kept from last time counts.
// An answer is kept for one address and one credential.
type conditional struct {
	next http.RoundTripper

	mu   sync.Mutex
	kept []keptAnswer // oldest first
}

type answerKey [sha256.Size]byte

type keptAnswer struct {
	key                answerKey
	etag, lastModified string
	header             http.Header
	body               []byte
}

func (c *conditional) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodGet || noStore(request.Header) {
		return c.next.RoundTrip(request)
	}
	key := keyOf(request)
	last, has := c.find(key)
	if has {
		request = request.Clone(request.Context())
		setIfAny(request.Header, "If-None-Match", last.etag)
		setIfAny(request.Header, "If-Modified-Since", last.lastModified)
	}
	response, err := c.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	switch {
	case response.StatusCode == http.StatusNotModified && has:
		_ = response.Body.Close() // it has none
		response.StatusCode, response.Status = http.StatusOK, "200 OK"
		response.Header, response.ContentLength = last.header.Clone(), int64(len(last.body))
		response.Body = io.NopCloser(bytes.NewReader(last.body))
	case response.StatusCode == http.StatusOK && !noStore(response.Header):
		c.keep(key, response)
	}
	return response, nil
}

// keep reads the answer, if it is marked, and keeps it if it is whole JSON and not too large: one that was cut
// where nothing tells its length would come back for as long as its mark is good.
func (c *conditional) keep(key answerKey, response *http.Response) {
	answer := keptAnswer{key: key, etag: response.Header.Get("ETag"), lastModified: response.Header.Get("Last-Modified"), header: response.Header.Clone()}
	if answer.etag == "" && answer.lastModified == "" {
		return
	}
	read, err := io.ReadAll(io.LimitReader(response.Body, maxKeptEach+1))
	if err != nil || len(read) > maxKeptEach || !json.Valid(read) {
		response.Body = &rest{Reader: io.MultiReader(bytes.NewReader(read), failing{err}, response.Body), Closer: response.Body}
		return
	}
	_ = response.Body.Close() // it was read to its end
	response.Body = io.NopCloser(bytes.NewReader(read))
	answer.body = read
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = append(slices.DeleteFunc(c.kept, func(a keptAnswer) bool { return a.key == key }), answer)
	size := 0
	for _, a := range c.kept {
		size += len(a.body)
	}
	for size > maxKept {
		size -= len(c.kept[0].body)
		c.kept = slices.Delete(c.kept, 0, 1)
	}
}

func (c *conditional) find(key answerKey) (keptAnswer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.kept, func(a keptAnswer) bool { return a.key == key })
	if i < 0 {
		return keptAnswer{}, false
	}
	return c.kept[i], true
}

// keyOf is made of the address and the credentials, which cannot be read from it.
func keyOf(r *http.Request) answerKey {
	return sha256.Sum256([]byte(strings.Join([]string{r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Auth-Token")}, "\n")))
}

func noStore(header http.Header) bool {
	return strings.Contains(strings.ToLower(header.Get("Cache-Control")), "no-store")
}

func setIfAny(header http.Header, name, value string) {
	if value != "" {
		header.Set(name, value)
	}
}

// rest is a body of which a part was read already.
type rest struct {
	io.Reader
	io.Closer
}

// failing gives the error with which reading ended, if it did.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
