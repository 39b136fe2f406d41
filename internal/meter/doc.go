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

// Package meter is a reverse proxy for the APIs of LLM providers that counts calls and tokens, prices
// them in grams of CO2e, and does what it is told: use another model, make no more calls.
//
// A call passes through it as it is, while it flows, in memory that does not grow with it:
//
//	client --request--> [model rewritten, usage asked for] --> upstream
//	client <--answer--- [usage read, what the client did not ask for taken out] <-- upstream
//
// A shape knows one provider's API: openai.go, anthropic.go, gemini.go. The scanner finds members of a
// JSON text that arrives in pieces; request.go changes bodies with it, answer.go and sse.go read them.
// The ledger counts, the Store keeps the counts, Control brings the decisions.
//
// Credentials pass through in headers and URLs, of which the meter stores and logs none.
package meter
