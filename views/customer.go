package views

import (
	"context"

	"elekt.no/innsyn/i18n"
)

// Customer is the page on the customer record: which one the login stands for,
// and how to find it by customer number and a code.
type Customer struct {
	Shell
	Step   CustomerStep
	CSRF   string
	Number string // what was typed
	SentTo string // where the code went, masked: "i•••••@example.com"
	Error  string // what is wrong with the field, in words; empty if nothing is
	Notice *Notice
	// Record is what is known of the record that was found.
	Record []Fact
}

// CustomerStep is how far the search has come.
type CustomerStep string

// The steps.
const (
	CustomerNumber CustomerStep = "number" // asks for the customer number
	CustomerCode   CustomerStep = "code"   // asks for the code
	CustomerFound  CustomerStep = "found"  // the record is known
)

// CustomerNotice is what a page says when there isn't exactly one record.
func CustomerNotice(ctx context.Context, kind CustomerNoticeKind) *Notice {
	switch kind {
	case NoCustomer:
		return &Notice{
			Title: i18n.T(ctx, "customer.none"), Text: i18n.T(ctx, "customer.none-text", "Company", company(ctx)),
			LinkText: i18n.T(ctx, "customer.none-link"), LinkURL: "/customer",
		}
	case SeveralCustomers:
		return &Notice{
			Tone: ToneWarn, Title: i18n.T(ctx, "customer.several"), Text: i18n.T(ctx, "customer.several-text"),
			LinkText: i18n.T(ctx, "customer.several-link"), LinkURL: "/contact#dpo",
		}
	case LinkTaken:
		return &Notice{
			Tone: ToneWarn, Title: i18n.T(ctx, "customer.taken"), Text: i18n.T(ctx, "customer.taken-text"),
			LinkText: i18n.T(ctx, "customer.several-link"), LinkURL: "/contact#dpo",
		}
	case LinkUndone:
		return &Notice{
			Title: i18n.T(ctx, "customer.undone"), Text: i18n.T(ctx, "customer.undone-text"),
			LinkText: i18n.T(ctx, "customer.none-link"), LinkURL: "/customer",
		}
	}
	return nil
}

// CustomerNoticeKind is why there isn't exactly one record.
type CustomerNoticeKind string

// The kinds.
const (
	NoCustomer       CustomerNoticeKind = "none"
	SeveralCustomers CustomerNoticeKind = "several" // nothing is shown; a case is open
	LinkTaken        CustomerNoticeKind = "taken"   // the record is another login's
	LinkUndone       CustomerNoticeKind = "undone"  // a wrong link was taken back
)
