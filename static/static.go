// Package static holds everything a browser fetches besides pages: one style
// sheet, two scripts, two font files and three drawings, embedded in the binary.
//
// Every file is served under a name that contains the first digits of its own
// SHA-256, so it may be cached for ever and a new release needs no purge. The
// style sheet is put together when the process starts: Designsystemet's theme
// and components in their cascade layers, then our own files, with the names of
// fonts and drawings replaced by the hashed ones. Nothing is generated at build
// time and no package manager is needed; where each vendored file comes from
// stands in THIRD_PARTY.md, whose hashes a test recomputes.
//
// Compressed forms (Brotli, gzip) are made once, at the first request that takes
// them, and kept.
package static

import (
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"path"
	"slices"
	"strings"
)

//go:embed css/*.css designsystemet/*.css fonts/*.woff2 htmx/htmx.min.js js/app.js img/*.svg
var files embed.FS

// Prefix is the path under which the files are served.
const Prefix = "/static/"

// asset is one file as it is served.
type asset struct {
	name      string // as callers ask for it, "app.css"
	hashed    string // as it is served, "app.3f2a91c04d5e.css"
	mediaType string
	integrity string
	body      []byte
	squeezed  *squeezed // nil where compression gains nothing
}

var byName, byHashed = mustBuild()

// mustBuild puts the assets together. It can only fail if an embedded file is
// missing or a style sheet names one that doesn't exist, which a test would show
// before any release.
func mustBuild() (byName, byHashed map[string]*asset) {
	byName, byHashed = map[string]*asset{}, map[string]*asset{}
	add := func(name string, body []byte) {
		a := newAsset(name, body)
		byName[name], byHashed[a.hashed] = a, a
	}
	for _, f := range []string{
		"fonts/schibsted-grotesk-latin.woff2", "fonts/schibsted-grotesk-latin-ext.woff2",
		"htmx/htmx.min.js", "js/app.js", "img/icons.svg", "img/favicon.svg", "img/street.svg",
	} {
		body, err := files.ReadFile(f)
		if err != nil {
			panic(fmt.Sprintf("static: %v", err))
		}
		add(path.Base(f), body)
	}
	css, err := bundle(func(name string) (string, bool) {
		a, ok := byName[name]
		if !ok {
			return "", false
		}
		return a.hashed, true
	})
	if err != nil {
		panic(fmt.Sprintf("static: %v", err))
	}
	add("app.css", css)
	return byName, byHashed
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	a := &asset{
		name:      name,
		hashed:    strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
		mediaType: mediaType(ext),
		body:      body,
	}
	sri := sha512.Sum384(body)
	a.integrity = "sha384-" + base64.StdEncoding.EncodeToString(sri[:])
	if ext != ".woff2" {
		a.squeezed = &squeezed{body: body}
	}
	return a
}

func mediaType(ext string) string {
	switch ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(ext)
}

// URL is the path of a file under its hashed name. Asking for a file that
// doesn't exist gives a path that answers 404; a test asks for every name used.
func URL(name string) string {
	if a := byName[name]; a != nil {
		return Prefix + a.hashed
	}
	return Prefix + name
}

// Integrity is a file's value for the integrity attribute (Subresource
// Integrity), empty if there is no such file.
func Integrity(name string) string {
	if a := byName[name]; a != nil {
		return a.integrity
	}
	return ""
}

// Names lists the files, sorted.
func Names() []string {
	out := make([]string, 0, len(byName))
	for n := range byName {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Body is a file's content, for pages that must carry it along. The caller
// doesn't change it.
func Body(name string) []byte {
	if a := byName[name]; a != nil {
		return a.body
	}
	return nil
}
