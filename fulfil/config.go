package fulfil

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// validBase checks the address of a recipient: https, or http on this machine.
// Empty is its usual address.
func validBase(base string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%q is not scheme, host and port", base)
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("%q must begin with https://", base)
}

// validURLs checks addresses of a recipient that may have a path, as a tenant's
// address has; the error names the key.
func validURLs(urls map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(urls)) {
		base := urls[key]
		u, err := url.Parse(base)
		if err != nil {
			return fmt.Errorf("%s: %q is not an address", key, base)
		}
		u.Path = ""
		if err := validBase(u.String()); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func isDomain(s string) bool { return s != "" && !strings.ContainsAny(s, "/@ ?#:") }
