package web

import (
	"net/http"
	"net/netip"
	"testing"
)

// Checklist 55: limits count callers, not the proxy in front of us, and nobody
// chooses by a header whom they are counted as.
func TestAddressIsTheCallersAndNotTheProxys(t *testing.T) {
	s := &Server{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.7:4711", "", "192.0.2.7"},
		{"192.0.2.7:4711", "198.51.100.1", "192.0.2.7"}, // not a proxy of ours
		{"10.1.2.3:80", "198.51.100.1", "198.51.100.1"},
		{"10.1.2.3:80", "203.0.113.9, 198.51.100.1", "198.51.100.1"}, // the first is the caller's own word
		{"10.1.2.3:80", "198.51.100.1, 10.9.9.9", "198.51.100.1"},
		{"10.1.2.3:80", "nonsense", "10.1.2.3"},
		{"10.1.2.3:80", "", "10.1.2.3"},
		{"[2001:db8:1:2:3:4:5:6]:80", "", "2001:db8:1:2::/64"},
		{"[fd00::1]:80", "2001:db8:1:2:9::1", "2001:db8:1:2::/64"},
		{"[::ffff:192.0.2.7]:80", "", "192.0.2.7"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := s.address(r); got != c.want {
			t.Errorf("%s for %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}
