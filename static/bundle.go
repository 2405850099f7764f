package static

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// sheet is one file of the bundle and the cascade layer that it belongs to.
type sheet struct{ file, layer string }

// sheets is the order of the style sheet. Designsystemet's files are shipped
// without their layers; these are the ones its own index gives them. Our files
// stand outside every layer, so they win whatever the specificity.
var sheets = []sheet{
	{"designsystemet/theme.css", ""},
	{"designsystemet/base.css", "ds.base"},
	{"designsystemet/button.css", "ds.components"},
	{"designsystemet/link.css", "ds.components"},
	{"designsystemet/skip-link.css", "ds.components"},
	{"designsystemet/card.css", "ds.components"},
	{"designsystemet/alert.css", "ds.components"},
	{"designsystemet/tag.css", "ds.components"},
	{"designsystemet/label.css", "ds.components"},
	{"designsystemet/input.css", "ds.components"},
	{"designsystemet/field.css", "ds.components"},
	{"designsystemet/fieldset.css", "ds.components"},
	{"designsystemet/validation-message.css", "ds.components"},
	{"designsystemet/error-summary.css", "ds.components"},
	{"css/tokens.css", ""},
	{"css/base.css", "ds.base"},
	{"css/type.css", ""},
	{"css/shell.css", ""},
	{"css/controls.css", ""},
	{"css/cards.css", ""},
	{"css/consents.css", ""},
	{"css/consent.css", ""},
	{"css/front.css", ""},
	{"css/pages.css", ""},
	{"css/modes.css", ""},
}

var (
	comment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	indent  = regexp.MustCompile(`\s*\n\s*`)
	fileURL = regexp.MustCompile(`url\("([a-z0-9.-]+)"\)`)
)

// bundle joins the sheets, without comments and indentation, and replaces
// url("name") by the hashed name that hashed gives. Data URLs stay as they are.
func bundle(hashed func(name string) (string, bool)) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("@layer ds.theme,ds.base,ds.components;\n")
	for _, s := range sheets {
		src, err := files.ReadFile(s.file)
		if err != nil {
			return nil, err
		}
		css := strings.TrimPrefix(string(src), `@charset "UTF-8";`)
		css = strings.TrimSpace(indent.ReplaceAllString(comment.ReplaceAllString(css, ""), "\n"))
		if s.layer != "" {
			css = "@layer " + s.layer + "{" + css + "}"
		}
		b.WriteString(css)
		b.WriteByte('\n')
	}
	var missing error
	out := fileURL.ReplaceAllFunc(b.Bytes(), func(m []byte) []byte {
		name := string(fileURL.FindSubmatch(m)[1])
		h, ok := hashed(name)
		if !ok {
			missing = fmt.Errorf("style sheet names %q, which is not served", name)
		}
		return []byte(`url("` + h + `")`)
	})
	return out, missing
}
