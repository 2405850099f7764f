package views

import (
	"context"

	"elekt.no/innsyn/i18n"
)

// ManualTask is what a human is to do at a recipient that can't be called.
type ManualTask struct {
	Title  string
	Steps  string
	Letter string // empty where nothing is written
}

// ManualNames are what a task names. They are looked up when the task is shown, and
// the letter is kept nowhere.
type ManualNames struct {
	Recipient string
	Company   string // the controller
	Address   string // the person's e-mail
	Number    string // the person's customer number
}

// NewManualTask fills a template in. template is the task's, as it is on record.
func NewManualTask(ctx context.Context, template string, n ManualNames) ManualTask {
	args := []any{"Recipient", n.Recipient, "Company", n.Company, "Address", n.Address, "Number", n.Number}
	t := ManualTask{Title: i18n.T(ctx, "manual."+template+".title", args...), Steps: i18n.T(ctx, "manual."+template+".steps", args...)}
	if key := "manual." + template + ".letter"; i18n.Has(key) {
		t.Letter = i18n.T(ctx, key, args...)
	}
	return t
}
