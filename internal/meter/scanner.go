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
	"bytes"
	"encoding/json"
	"slices"
)

const (
	// levels is how many levels of objects have keys that the scanner knows: "usage" and
	// "response.usage", but not "response.usage.details".
	levels = 2
	// maxKey is the longest key, in bytes, that can be asked for.
	maxKey = 64
)

// point is a place in a JSON text at which the scanner stops.
type point int

const (
	nowhere    point = iota // the piece was read to its end
	valueStart              // before the first byte of a wanted value
	valueEnd                // behind the last byte of a wanted value
	closing                 // before the brace that closes the outermost object
)

type scannerState int

const (
	between scannerState = iota
	inKey
	inString
	inLiteral
)

// scanner finds the values of some members of a JSON object that arrives in pieces of any size, in
// memory that does not grow. In an array of objects it finds those of each object. It does not
// validate: what is not JSON is the business of who gets it.
type scanner struct {
	want []string // "key", or "key.key" for a member of a member

	state   scannerState
	escaped bool
	depth   int // how many braces and brackets are open
	base    int // 1 in an array of objects
	objects [levels + 2]bool
	keys    [levels]string
	key     []byte

	expectKey bool // the next string is a key
	valueNext bool // a colon was read
	watching  int  // the depth of the wanted value that is being read, 0 for none
	stopped   bool // closing was reported and its brace is still to be read

	pos      int // bytes read
	memberAt int // where the current member begins: at the comma before it, if there is one
}

// step reads b up to the next place of interest and returns how many bytes it read.
func (s *scanner) step(b []byte) (int, point) {
	i := 0
	for i < len(b) {
		if s.state == inString && !s.escaped {
			skip := bytes.IndexAny(b[i:], "\"\\")
			if skip < 0 {
				i = len(b)
				break
			}
			i += skip
		}
		if at := s.before(b[i]); at != nowhere {
			s.pos += i
			return i, at
		}
		if s.take(b[i], s.pos+i) {
			s.pos += i + 1
			return i + 1, valueEnd
		}
		i++
	}
	s.pos += i
	return i, nowhere
}

// before says whether there is something to report before c is read.
func (s *scanner) before(c byte) point {
	if s.state == inLiteral && endsLiteral(c) && s.ended() {
		s.state = between
		return valueEnd
	}
	if s.state != between {
		return nowhere
	}
	switch {
	case s.valueNext && s.watching == 0 && !isSpace(c) && s.wanted():
		s.watching, s.valueNext = s.depth, false
		return valueStart
	case c == '}' && s.inOutermost() && !s.stopped:
		s.stopped = true
		return closing
	}
	return nowhere
}

// inOutermost says whether the scanner is right inside an object that is the whole text.
func (s *scanner) inOutermost() bool { return s.depth == 1 && s.base == 0 && s.objects[1] }

// take reads c and says whether a wanted value ended with it.
func (s *scanner) take(c byte, pos int) bool {
	switch s.state {
	case inKey, inString:
		return s.takeQuoted(c)
	case inLiteral:
		if !endsLiteral(c) {
			return false
		}
		s.state = between
	case between:
	}
	return s.takeMark(c, pos)
}

// takeMark reads a byte that stands between keys and values, or begins one.
func (s *scanner) takeMark(c byte, pos int) bool {
	switch c {
	case '"':
		s.state = inString
		if s.expectKey {
			s.state, s.expectKey, s.key = inKey, false, s.key[:0]
		}
		s.valueNext = false
	case '{', '[':
		s.open(c == '{', pos)
	case '}', ']':
		s.depth = max(0, s.depth-1)
		s.expectKey, s.valueNext, s.stopped = false, false, false
		return s.ended()
	case ',':
		s.expectKey, s.valueNext = s.inObject(), false
		if s.watching == 0 {
			s.memberAt = pos
		}
	case ':':
		s.valueNext = s.inObject()
	case ' ', '\n', '\r', '\t':
	default:
		s.state, s.valueNext = inLiteral, false
	}
	return false
}

func (s *scanner) takeQuoted(c byte) bool {
	switch {
	case s.escaped:
		s.escaped = false
	case c == '\\':
		s.escaped = true
	case c == '"':
		if s.state == inKey {
			s.keys[s.level()-1] = decodeKey(s.key)
			s.state = between
			return false
		}
		s.state = between
		return s.ended()
	}
	if s.state == inKey && len(s.key) <= maxKey {
		s.key = append(s.key, c)
	}
	return false
}

func (s *scanner) open(object bool, pos int) {
	if s.depth == 0 {
		s.base = 0
		if !object {
			s.base = 1
		}
	}
	s.depth++
	if s.depth < len(s.objects) {
		s.objects[s.depth] = object
	}
	s.expectKey, s.valueNext = s.inObject(), false
	if s.watching == 0 {
		s.memberAt = pos + 1
	}
}

func (s *scanner) level() int { return s.depth - s.base }

// inObject says whether the scanner is right inside an object whose keys it knows.
func (s *scanner) inObject() bool {
	return s.level() >= 1 && s.level() <= levels && s.objects[s.depth]
}

func (s *scanner) ended() bool {
	if s.watching > 0 && s.watching == s.depth {
		s.watching = 0
		return true
	}
	return false
}

func (s *scanner) wanted() bool { return slices.ContainsFunc(s.want, s.at) }

// at says whether the current member has this path.
func (s *scanner) at(path string) bool {
	if !s.inObject() {
		return false
	}
	if s.level() == 1 {
		return s.keys[0] == path
	}
	n := len(s.keys[0])
	return len(path) > n && path[:n] == s.keys[0] && path[n] == '.' && path[n+1:] == s.keys[1]
}

// path is the path of the current member.
func (s *scanner) path() string {
	for _, path := range s.want {
		if s.at(path) {
			return path
		}
	}
	return ""
}

// reset prepares the scanner for another text.
func (s *scanner) reset() {
	*s = scanner{want: s.want, key: s.key[:0]}
}

// decodeKey resolves escapes; a key that is too long or malformed is one that nobody asks for.
func decodeKey(raw []byte) string {
	if len(raw) > maxKey {
		return ""
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	var key string
	if json.Unmarshal([]byte(`"`+string(raw)+`"`), &key) != nil {
		return ""
	}
	return key
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func endsLiteral(c byte) bool { return isSpace(c) || c == ',' || c == '}' || c == ']' }
