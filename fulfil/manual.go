package fulfil

import (
	"context"
	"time"

	"elekt.no/innsyn/privacy"
)

// Templates of manual tasks: keys below "manual." of the texts, each with title,
// steps and letter. What a letter must name (an address, a customer number) is
// filled in on the page that shows the task, and kept nowhere.
const (
	TaskFault     = "fault"     // a call that went wrong for good
	TaskStop      = "stop"      // a recipient is told to stop
	TaskErase     = "erase"     // a recipient is told to erase
	TaskKundo     = "kundo"     // an editor's e-mail to Kundo's support
	TaskSveve     = "sveve"     // logs and messages that wait to be sent
	TaskKredinor  = "kredinor"  // a controller of its own, that may have to refuse
	TaskEFaktura  = "efaktura"  // a standing agreement
	TaskMessages  = "messages"  // messages in a social network
	TaskAiia      = "aiia"      // the product without a call that revokes
	TaskAds       = "ads"       // ad networks that know a phone by its advertising id
	TaskAudience  = "audience"  // an audience that the platform doesn't let be changed
	TaskAgreement = "agreement" // Elhub: an access that wasn't ended
)

// manual is a recipient that a human tells. A yes is no task: such a recipient gets
// something again only when the company itself sends it.
type manual struct {
	all
	stop, erase string // templates
}

// manualTasks are the recipients with a template of their own; all others of mode
// manual have the general ones.
var manualTasks = map[string]string{"kundo": TaskKundo, "kredinor": TaskKredinor, "efaktura": TaskEFaktura, "xandr": TaskAds}

func newManual(recipient string, purposes all) manual {
	if task := manualTasks[recipient]; task != "" {
		return manual{purposes, task, task}
	}
	return manual{purposes, TaskStop, TaskErase}
}

// Do opens a task.
func (m manual) Do(_ context.Context, t Task) (Outcome, error) {
	switch t.Action {
	case privacy.ActionStop:
		return byHand(m.stop), nil
	case privacy.ActionErase:
		return byHand(m.erase), nil
	case privacy.ActionAllow:
		return settled(privacy.NoteOwnStop), nil
	}
	return unknownAction(), nil
}

// byHand is a task for a human.
func byHand(template string) Outcome {
	return Outcome{State: privacy.DeliveryNeedsManual, Note: privacy.NoteManual, Task: template}
}

// stopDays is how long a human has to tell a recipient of a stop: the company
// itself has stopped already. law: GDPR 19
const stopDays = 7

// dueOn is the last day of a task: a stop within a week, an erasure within the time
// that the person's request has.
func dueOn(d *privacy.Delivery, now time.Time) time.Time {
	if d.Action == privacy.ActionErase {
		return privacy.Due(now)
	}
	return privacy.Day(now).AddDate(0, 0, stopDays)
}

// userLink is a recipient where only the person can do anything: the page shows
// where.
type userLink struct{ all }

// Do asks the person.
func (userLink) Do(_ context.Context, t Task) (Outcome, error) {
	if t.Action == privacy.ActionAllow {
		return settled(privacy.NoteOwnStop), nil
	}
	return Outcome{State: privacy.DeliveryNeedsManual, Note: privacy.NoteUserLink}, nil
}

// nobody is a recipient that has nothing to be told.
type nobody struct{ all }

// Do does nothing.
func (nobody) Do(context.Context, Task) (Outcome, error) {
	return settled(privacy.NoteNothingKept), nil
}
