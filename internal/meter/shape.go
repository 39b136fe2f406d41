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

package meter

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// shape is what the meter knows of a provider's API: which requests cost energy, where an answer
// names its model and its tokens, and what an error looks like.
type shape interface {
	// operation is what a request to this path (below the base URL) asks for; false when the meter
	// does not count it.
	operation(path string) (operation, bool)
	// withModel is the path with another model, where the path names the model.
	withModel(path, model string) string
	// want lists the members of an answer, or of an event of a stream, that read needs.
	want() []string
	// read adds what the members say to what is known of the call.
	read(m members, c *usage)
	// problem is an error in the provider's own format.
	problem(status int, message string) []byte
}

// operation is what a request asks for.
type operation struct {
	name      string // gen_ai.operation.name of the OpenTelemetry conventions
	model     string // the model that the path names; empty when the body names it
	asksUsage bool   // a stream of it tells its usage only when asked by stream_options
}

// The operations, by the names of the OpenTelemetry GenAI semantic conventions.
const (
	opChat       = "chat"
	opCompletion = "text_completion"
	opEmbeddings = "embeddings"
	opGenerate   = "generate_content"
	opOther      = "other" // not counted in tokens
)

// usage is what an answer says of a call.
type usage struct {
	model  string
	tokens Tokens
	// known says that the answer told its number of output tokens, complete that it was the final one.
	known, complete bool
	// pieces is how many pieces of output a stream has brought.
	pieces int64
}

// Tokens are numbers of tokens. Input includes Cached, Output includes Reasoning.
type Tokens struct {
	Input     int64 `json:"in,omitempty"`
	Output    int64 `json:"out,omitempty"`
	Cached    int64 `json:"cached,omitempty"`
	Reasoning int64 `json:"reasoning,omitempty"`
}

// maxTokens is the most that one call can plausibly use; an answer that claims more is not believed.
const maxTokens = 100_000_000

// count is a number of tokens in an answer. A number that cannot be makes the whole usage invalid.
type count int64

// UnmarshalJSON fails for what is not a whole number from 0 to maxTokens.
func (c *count) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 || n > maxTokens {
		return fmt.Errorf("%.40q is not a number of tokens", raw)
	}
	*c = count(n)
	return nil
}

// set takes over the tokens that an answer tells; complete says that no later ones will.
func (u *usage) set(t Tokens, complete bool) {
	t.Cached, t.Reasoning = min(t.Cached, t.Input), min(t.Reasoning, t.Output)
	u.tokens, u.known = t, true
	u.complete = u.complete || complete
}

// setModel takes a model's name over from a raw JSON string.
func (u *usage) setModel(raw []byte) {
	var model string
	if json.Unmarshal(raw, &model) == nil && model != "" {
		u.model = model
	}
}

// final is the usage of a call that is over. A stream that ended before it told its tokens brought
// at least one token with each piece.
func (u *usage) final() (Tokens, bool) {
	t := u.tokens
	if !u.complete {
		t.Output = max(t.Output, u.pieces)
	}
	return t, u.known && (u.complete || u.pieces == 0)
}

// decode reads a raw member; false when it is not there, null or malformed.
func decode(raw []byte, into any) bool {
	return len(raw) > 0 && string(raw) != "null" && json.Unmarshal(raw, into) == nil
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("meter: encoding %T: %v", v, err)) // plain values can always be encoded
	}
	return data
}
