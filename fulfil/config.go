package fulfil

import (
	"fmt"
	"net/netip"
	"net/url"
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

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func isDomain(s string) bool { return s != "" && !strings.ContainsAny(s, "/@ ?#:") }
