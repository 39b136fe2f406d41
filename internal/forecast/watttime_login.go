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
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	// wattTimeTokenLife is a minute less than the half hour for which a token is good.
	wattTimeTokenLife = 29 * time.Minute
	// wattTimeLoginPause is the least time between two logins of an account, successful or not. The API
	// allows 100 in five minutes; with this pause there are five, however many regions ask.
	wattTimeLoginPause = time.Minute
)

// WattTimeLogin is an account of WattTime with its token, which is kept in memory only. It is safe for
// concurrent use.
type WattTimeLogin struct {
	// Credentials gives the username and the password, each time they are needed.
	Credentials func(context.Context) (username, password string, err error)

	once sync.Once
	turn chan struct{} // holds one: unlike a mutex, it can be waited for until a deadline

	current string
	expires time.Time
	// next is the earliest time of another login; failure is why the last one failed.
	next    time.Time
	failure error
}

// token is the account's token at now, other than refused: a token that was not accepted, or none. The
// refused token itself comes back when it is too early for another login.
func (l *WattTimeLogin) token(ctx context.Context, client *http.Client, now time.Time, refused string) (string, error) {
	l.once.Do(func() { l.turn = make(chan struct{}, 1) })
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return "", &SourceError{Problem: "its login did not answer in time"}
	}
	if l.current != "" && l.current != refused && now.Before(l.expires) {
		return l.current, nil
	}
	if now.Before(l.next) {
		if l.failure != nil {
			return "", l.failure
		}
		return l.current, nil
	}
	l.current, l.failure = "", nil
	token, err := l.login(ctx, client, now)
	l.next = now.Add(wattTimeLoginPause)
	if err != nil {
		l.failure = err
		if failure, ok := errors.AsType[*SourceError](err); ok {
			l.next = now.Add(max(wattTimeLoginPause, failure.RetryAfter))
		}
		return "", err
	}
	l.current, l.expires = token, now.Add(wattTimeTokenLife)
	return token, nil
}

func (l *WattTimeLogin) login(ctx context.Context, client *http.Client, now time.Time) (string, error) {
	username, password, err := l.Credentials(ctx)
	if err != nil {
		return "", err
	}
	basic := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	var answer struct {
		Token string `json:"token"`
	}
	header := http.Header{"Authorization": {"Basic " + basic}, "Cache-Control": {"no-store"}} // an old token is of no use
	if err := fetchJSON(ctx, client, wattTimeBase+"/login", now, &answer, header); err != nil {
		return "", err
	}
	if answer.Token == "" || strings.ContainsFunc(answer.Token, notInToken) {
		return "", malformed("its answer to the login has no token")
	}
	return answer.Token, nil
}

// notInToken keeps what is no part of a header out of it.
func notInToken(r rune) bool { return r > unicode.MaxASCII || !unicode.IsGraphic(r) || r == ' ' }
