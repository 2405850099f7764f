package views

import (
	"context"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
)

// Fault is the page of an error. Its texts say who failed, what we do, and
// whether the person must do anything; no internal text reaches it.
type Fault struct {
	Shell
	Kind privacy.ErrorKind
	// Text is what the error itself has to say (privacy.Error.Key, looked up), and
	// replaces the kind's own text; empty if it has nothing to add.
	Text  string
	Code  string // reference for whoever writes to us; the request's id
	Retry string // path that may be tried again; empty if there is no use
}

// FaultTitle is what kind of thing went wrong, in a few words.
func FaultTitle(ctx context.Context, k privacy.ErrorKind) string {
	switch k {
	case privacy.Invalid:
		return i18n.T(ctx, "fault.invalid")
	case privacy.Unauthenticated:
		return i18n.T(ctx, "fault.unauthenticated")
	case privacy.StepUp:
		return i18n.T(ctx, "fault.step-up")
	case privacy.Forbidden:
		return i18n.T(ctx, "fault.forbidden")
	case privacy.NotFound, privacy.NotAllowed:
		return i18n.T(ctx, "fault.not-found")
	case privacy.Conflict:
		return i18n.T(ctx, "fault.conflict")
	case privacy.Gone:
		return i18n.T(ctx, "fault.gone")
	case privacy.TooLarge:
		return i18n.T(ctx, "fault.too-large")
	case privacy.RateLimited:
		return i18n.T(ctx, "fault.rate-limited")
	case privacy.Unavailable:
		return i18n.T(ctx, "fault.unavailable")
	}
	return i18n.T(ctx, "fault.internal")
}

// FaultText is what the person should know and do about it.
func FaultText(ctx context.Context, k privacy.ErrorKind) string {
	switch k {
	case privacy.Invalid:
		return i18n.T(ctx, "fault.invalid-text")
	case privacy.Unauthenticated:
		return i18n.T(ctx, "fault.unauthenticated-text")
	case privacy.StepUp:
		return i18n.T(ctx, "fault.step-up-text")
	case privacy.Forbidden:
		return i18n.T(ctx, "fault.forbidden-text")
	case privacy.NotFound, privacy.NotAllowed:
		return i18n.T(ctx, "fault.not-found-text")
	case privacy.Conflict:
		return i18n.T(ctx, "fault.conflict-text")
	case privacy.Gone:
		return i18n.T(ctx, "fault.gone-text")
	case privacy.TooLarge:
		return i18n.T(ctx, "fault.too-large-text")
	case privacy.RateLimited:
		return i18n.T(ctx, "fault.rate-limited-text")
	case privacy.Unavailable:
		return i18n.T(ctx, "fault.unavailable-text")
	}
	return i18n.T(ctx, "fault.internal-text")
}

func (f Fault) text(ctx context.Context) string {
	if f.Text != "" {
		return f.Text
	}
	return FaultText(ctx, f.Kind)
}

func (f Fault) house() House {
	switch f.Kind {
	case privacy.Internal, privacy.Unavailable:
		return HouseHalf
	case privacy.Unauthenticated, privacy.StepUp:
		return HouseDoor
	}
	return HouseDark
}

// home is the page that is always there.
func (f Fault) home() Link {
	if f.Visitor != nil {
		return Link{URL: "/overview"}
	}
	return Link{URL: "/"}
}
