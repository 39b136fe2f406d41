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

package controller

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	carbonv1alpha1 "github.com/ecotracker-dev/ecotracker-operator/api/v1alpha1"
	"github.com/ecotracker-dev/ecotracker-operator/internal/forecast"
)

// accounts are the logins at WattTime by the name of their Secret: all regions of an account share one
// token.
type accounts struct {
	mu     sync.Mutex
	logins map[string]*forecast.WattTimeLogin
}

// wattTimeLogin is the account whose credentials are in the Secret.
func (r *GridRegionReconciler) wattTimeLogin(secretName string) *forecast.WattTimeLogin {
	r.accounts.mu.Lock()
	defer r.accounts.mu.Unlock()
	if login := r.accounts.logins[secretName]; login != nil {
		return login
	}
	login := &forecast.WattTimeLogin{Credentials: func(ctx context.Context) (username, password string, err error) {
		values, err := r.secret(ctx, secretName, "username", "password")
		if err != nil {
			return "", "", err
		}
		return values[0], values[1], nil
	}}
	if r.accounts.logins == nil {
		r.accounts.logins = map[string]*forecast.WattTimeLogin{}
	}
	r.accounts.logins[secretName] = login
	return login
}

// token is the value of one key of a Secret.
func (r *GridRegionReconciler) token(ctx context.Context, ref carbonv1alpha1.SecretKeyReference) (string, error) {
	values, err := r.secret(ctx, ref.Name, ref.Key)
	if err != nil {
		return "", err
	}
	return values[0], nil
}

// secret reads credentials when they are needed, from the operator's own namespace and past the cache:
// Secrets are neither watched nor kept.
func (r *GridRegionReconciler) secret(ctx context.Context, name string, keys ...string) ([]string, error) {
	var secret corev1.Secret
	at := types.NamespacedName{Namespace: r.Namespace, Name: name}
	if err := r.Secrets.Get(ctx, at, &secret); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, refusedSecret("Secret %s does not exist", at)
		}
		return nil, refusedSecret("Secret %s cannot be read: %v", at, apierrors.ReasonForError(err))
	}
	values := make([]string, 0, len(keys))
	for _, key := range keys {
		value := strings.TrimSpace(string(secret.Data[key]))
		if value == "" {
			return nil, refusedSecret("Secret %s has nothing in the key %q", at, key)
		}
		if strings.ContainsFunc(value, unicode.IsControl) {
			return nil, refusedSecret("Secret %s, key %q: it has line breaks or other control characters", at, key)
		}
		values = append(values, value)
	}
	return values, nil
}

func refusedSecret(format string, args ...any) error {
	return &forecast.SourceError{Problem: fmt.Sprintf(format, args...), Refused: true}
}
