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
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestOnlyWhatIsNewIsAskedFor(t *testing.T) {
	var asked []http.Header
	answers := 0
	body := func() string { return fmt.Sprintf(`{"value":%d}`, answers) }
	for name, mark := range map[string]struct{ header, value, condition string }{
		"ETag":          {"ETag", `W/"abc"`, "If-None-Match"},
		"Last-Modified": {"Last-Modified", "Wed, 06 May 2026 12:00:00 GMT", "If-Modified-Since"},
	} {
		t.Run(name, func(t *testing.T) {
			asked, answers = nil, 0
			changed := false
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.Header)
				if r.Header.Get(mark.condition) == mark.value && !changed {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				answers++
				w.Header().Set(mark.header, mark.value)
				_, _ = w.Write([]byte(body()))
			}))
			t.Cleanup(server.Close)
			client := trusting(t, server)
			read := func(path string, header http.Header, want int) {
				t.Helper()
				var into struct{ Value int }
				if err := fetchJSON(t.Context(), client, server.URL+path, time.Time{}, &into, header); err != nil || into.Value != want {
					t.Errorf("%s %v: got %d, %v; want %d", path, header, into.Value, err, want)
				}
			}
			read("/a", nil, 1)
			read("/a", nil, 1) // not modified: what was kept
			if got := asked[1].Get(mark.condition); got != mark.value {
				t.Errorf("asked with %q", got)
			}
			read("/b", nil, 2)                                        // another address
			read("/a", http.Header{"Auth-Token": {"x"}}, 3)           // another credential
			read("/a", http.Header{"Authorization": {"y"}}, 4)        // and another
			read("/a", http.Header{"Cache-Control": {"no-store"}}, 5) // as asked for
			read("/a", nil, 1)
			changed = true
			read("/a", nil, 6)
			changed = false
			read("/a", nil, 6)
		})
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	size := 400 << 10
	store := ""
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Cache-Control", store)
		if r.URL.Path == "/cut" {
			w.Header().Set("Content-Length", "1000")
		}
		_, _ = w.Write([]byte(`"` + strings.Repeat("a", size-2) + `"`))
	}))
	t.Cleanup(server.Close)
	client := trusting(t, server)
	kept := func(n int) {
		t.Helper()
		if got := len(client.Transport.(*conditional).kept); got != n {
			t.Errorf("%d answers are kept, want %d", got, n)
		}
	}
	fetch := func(path string) error {
		var into string
		err := fetchJSON(t.Context(), client, server.URL+path, time.Time{}, &into)
		if err == nil && len(into) != size-2 {
			t.Errorf("%s: got %d of %d bytes", path, len(into), size-2)
		}
		return err
	}
	for i := range 30 {
		if err := fetch(fmt.Sprintf("/%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	kept(maxKept / size)
	size = maxKeptEach + 1 // it still counts, but is not kept
	if err := fetch("/large"); err != nil {
		t.Error(err)
	}
	size = MaxBody + 1
	if failure, ok := errors.AsType[*SourceError](fetch("/toolarge")); !ok || !failure.Malformed {
		t.Error("too large an answer was taken")
	}
	size = 100
	if failure, ok := errors.AsType[*SourceError](fetch("/cut")); !ok || failure.Malformed {
		t.Errorf("half an answer was taken: %v", failure)
	}
	store = "private, no-store"
	if err := fetch("/secret"); err != nil {
		t.Error(err)
	}
	kept(maxKept / (400 << 10))
}

// TestHalfAnAnswerIsNotKept holds that an answer which ends too soon, where nothing tells how long it is, does not
// come back as what has not changed since.
func TestHalfAnAnswerIsNotKept(t *testing.T) {
	half := true
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"a"`)
		switch {
		case r.Header.Get("If-None-Match") != "":
			w.WriteHeader(http.StatusNotModified)
		case half:
			connection, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(connection, "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nConnection: close\r\n\r\n[1,")
			_ = connection.Close()
		default:
			_, _ = io.WriteString(w, "[1,2]")
		}
	}))
	t.Cleanup(server.Close)
	client := trusting(t, server)
	var into []int
	err := fetchJSON(t.Context(), client, server.URL, time.Time{}, &into)
	if failure, ok := errors.AsType[*SourceError](err); !ok || !failure.Malformed {
		t.Errorf("half an answer was taken: %v", err)
	}
	half = false
	if err := fetchJSON(t.Context(), client, server.URL, time.Time{}, &into); err != nil || len(into) != 2 {
		t.Errorf("got %v, %v", into, err)
	}
}

func TestNotModifiedOutOfTheBlue(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }))
	t.Cleanup(server.Close)
	var into any
	err := fetchJSON(t.Context(), trusting(t, server), server.URL, time.Time{}, &into)
	if err == nil || err.Error() != "it answered with HTTP status 304" {
		t.Errorf("got %v", err)
	}
}
