// Package axe carries axe-core, which finds breaches of WCAG in a page, for the
// browser tests.
package axe

import _ "embed"

// Source is axe-core as one script. Evaluating it in a page defines the global axe.
//
//go:embed axe.min.js
var Source string
