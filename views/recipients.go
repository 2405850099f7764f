package views

import (
	"context"

	"elekt.no/innsyn/i18n"
	"elekt.no/innsyn/privacy"
)

// Recipients is the list of everybody who gets data. law: GDPR 13(1)(e)-(f), 15(1)(c)
type Recipients struct {
	Shell
	List []Recipient
}

// Recipient is one of them.
type Recipient struct {
	ID         string
	Name       string
	Country    string // ISO 3166-1 alpha-2, or ??
	OutsideEEA bool
	Role       privacy.RecipientRole
	Does       string   // what it does for the person, a sentence
	Gets       []string // categories, by name
	For        []Link   // purposes, with the page of each
	Transfer   string   // on what ground data leaves the EEA; empty inside it
	Unnamed    bool     // a kind of company, not one
}

func (r Recipient) role(ctx context.Context) string {
	switch r.Role {
	case privacy.RoleController:
		return i18n.T(ctx, "recipient.controller")
	case privacy.RoleJoint:
		return i18n.T(ctx, "recipient.joint")
	}
	return i18n.T(ctx, "recipient.processor")
}

func (r Recipient) roleMeans(ctx context.Context) string {
	switch r.Role {
	case privacy.RoleController:
		return i18n.T(ctx, "recipient.controller-means")
	case privacy.RoleJoint:
		return i18n.T(ctx, "recipient.joint-means", "Company", company(ctx))
	}
	return i18n.T(ctx, "recipient.processor-means", "Company", company(ctx))
}

// outside counts those outside the EEA.
func outside(list []Recipient) int {
	n := 0
	for _, r := range list {
		if r.OutsideEEA {
			n++
		}
	}
	return n
}
