package auth

import (
	"net/url"
	"strings"
)

// OwnPath tells whether a return target is a page of this portal: a path, maybe
// with a query. Another host, however written, a control character, a backslash,
// or a path that would log in or out is not. (checklist 8)
func OwnPath(p string) bool {
	if len(p) == 0 || len(p) > 2000 || p[0] != '/' || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\#") {
		return false
	}
	for i := range len(p) {
		if p[i] <= ' ' || p[i] >= 0x7f {
			return false
		}
	}
	u, err := url.Parse(p)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return false
	}
	if strings.ContainsAny(u.Path, "\\\r\n\t\x00") || strings.HasPrefix(u.Path, "//") {
		return false
	}
	return u.Path != "/logout" && u.Path != "/login" && !strings.HasPrefix(u.Path, "/login/")
}
