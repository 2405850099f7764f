package e2e

import (
	"fmt"
	"strings"
)

// headerFaults checks what every answer of the portal carries, and no answer
// may. (checklist 42-44)
func headerFaults(path string, header func(string) string) []string {
	var out []string
	want := func(name, value string) {
		if got := header(name); got != value {
			out = append(out, fmt.Sprintf("%s is %q, want %q", name, got, value))
		}
	}
	if strings.HasPrefix(path, "/static/") {
		want("X-Content-Type-Options", "nosniff")
		want("Cross-Origin-Resource-Policy", "same-origin")
		return out
	}
	out = append(out, policyFaults(header("Content-Security-Policy"))...)
	want("X-Content-Type-Options", "nosniff")
	want("Cross-Origin-Opener-Policy", "same-origin")
	want("Cross-Origin-Resource-Policy", "same-origin")
	if !strings.Contains(header("Cache-Control"), "no-store") {
		out = append(out, fmt.Sprintf("Cache-Control is %q", header("Cache-Control")))
	}
	if r := header("Referrer-Policy"); r != "same-origin" && r != "no-referrer" {
		out = append(out, fmt.Sprintf("Referrer-Policy is %q", r))
	}
	for _, name := range []string{"Server", "X-Powered-By", "Access-Control-Allow-Origin"} {
		want(name, "")
	}
	return out
}

// policyFaults reads a Content-Security-Policy: nothing by default, only files of
// our own, no unsafe word, nobody frames us, forms go home.
func policyFaults(policy string) []string {
	got := map[string]string{}
	for d := range strings.SplitSeq(policy, ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(d), " ")
		got[name] = sources
	}
	var out []string
	for name, sources := range map[string]string{
		"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:", "font-src": "'self'",
		"connect-src": "'self'", "form-action": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'",
	} {
		if got[name] != sources {
			out = append(out, fmt.Sprintf("Content-Security-Policy: %s is %q, want %q", name, got[name], sources))
		}
	}
	return out
}
