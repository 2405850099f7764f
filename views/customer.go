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
	Error  string // what is wrong with the field, in words; empty if nothing is
	Notice *Notice
	Sought bool // a human is looking for the record already
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
	case CustomerSought:
		return &Notice{
			Title: i18n.T(ctx, "customer.sought"), Text: i18n.T(ctx, "customer.sought-text"),
			LinkText: i18n.T(ctx, "customer.sought-link"), LinkURL: "/contact#dpo",
		}
	}
	return nil
}

// CustomerNoticeKind is why there isn't exactly one record.
type CustomerNoticeKind string

// The kinds.
const (
	NoCustomer     CustomerNoticeKind = "none"
	CustomerSought CustomerNoticeKind = "sought" // a human is looking: several records, one that is taken, or asked for
)
