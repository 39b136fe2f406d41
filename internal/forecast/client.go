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
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// maxRedirects is how often a source may send us on, within its own host.
const maxRedirects = 3

// Ranges that are not the public Internet and that netip has no word for: shared, test and documentation
// addresses, those reserved, and the IPv6 ones that stand for an IPv4 address (IANA, special-purpose address
// registries).
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("168.63.129.16/32"), // what Azure tells its machines
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// globalIPv6 is all of IPv6 that is given out for the Internet (RFC 4291, section 2.4, and IANA).
var globalIPv6 = netip.MustParsePrefix("2000::/3")

// refusal is why we do not talk to a source.
type refusal string

func (r refusal) Error() string { return string(r) }

// NewClient is an HTTP client for sources: no redirect to another host, and, unless allowPrivate, https
// only and no connection to an address that is not a public one, checked after the name was resolved,
// so that no source can make the operator talk to the cluster or to a metadata service. A source that
// marks its answers is asked only for what is new.
// A proxy of the environment (HTTPS_PROXY, NO_PROXY) is used only where private addresses are allowed: the
// check would see nothing but the proxy's own address.
func NewClient(allowPrivate bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	direct := &http.Transport{
		DialContext:           dialer.DialContext,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 10 * time.Second,
		// The body is bounded when it is read.
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    1,
		ForceAttemptHTTP2:      true,
	}
	var transport http.RoundTripper = direct
	if allowPrivate {
		proxy := httpproxy.FromEnvironment().ProxyFunc()
		direct.Proxy = func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }
	} else {
		dialer.Control = refusePrivate
		transport = httpsOnly{direct}
	}
	return &http.Client{CheckRedirect: sameOrigin, Transport: &conditional{next: transport}}
}

func refusePrivate(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading the address: %w", err)
	}
	if !isPublic(to.Addr()) {
		return refusal("its name leads to an address that is not public")
	}
	return nil
}

func isPublic(ip netip.Addr) bool {
	if ip = ip.Unmap(); ip.Is6() && !globalIPv6.Contains(ip) {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate()
}

func sameOrigin(next *http.Request, via []*http.Request) error {
	if next.URL.Host != via[0].URL.Host {
		return refusal("it redirects to another host")
	}
	if next.URL.Scheme != via[0].URL.Scheme {
		return refusal("it redirects to another protocol")
	}
	if len(via) > maxRedirects {
		return refusal("it redirects too often")
	}
	return nil
}

type httpsOnly struct{ next http.RoundTripper }

func (t httpsOnly) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "https" {
		return nil, refusal("only https is allowed")
	}
	return t.next.RoundTrip(request)
}
