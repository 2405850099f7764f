package auth

import "testing"

// (checklist 8)
func TestOwnPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/overview": true, "/consents?open=a&b=%C3%A6": true, "/consents/newsletter": true, "/resume/1f0c": true, "/logins": true,
		"": false, "overview": false, "//evil.example.com": false, "///evil": false, `/\evil`: false, `\\evil`: false, "/a\\b": false,
		"https://evil.example.com": false, "javascript:alert(1)": false, "/%5c%5cevil": false, "/%2f/evil.example.com": false,
		"/a\nb": false, "/a\tb": false, "/a b": false, "/æ": false, "/%0d%0aSet-Cookie:x": false, "/%00": false, "/a#b": false,
		"/logout": false, "/login/bankid?t=x": false, "/login/bankid/callback": false, "/login": false, "/" + string(make([]byte, 3000)): false,
	} {
		if got := OwnPath(path); got != want {
			t.Errorf("%.60q: %v", path, got)
		}
	}
}
