package fulfil

import (
	"context"
	"time"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// acks knows what phones have said that they applied.
type acks interface {
	DeviceApplied(ctx context.Context, d *privacy.Delivery, installations []string) (bool, error)
}

// device is a recipient that learns of a choice from its kit in the app and in no
// other way. The portal publishes the state that is wanted; the app applies it when
// it starts, before the kit does, and says so. Until every phone in use has said so
// the row is accepted and never shown as done. What the recipient has from before
// can't be erased through the app: that is a task for a human, or for the person.
type device struct {
	all
	identified
	acks  acks
	now   func() time.Time
	erase Outcome // what becomes of an erasure
}

// Do carries out a task.
func (d *device) Do(ctx context.Context, t Task) (Outcome, error) {
	switch t.Action {
	case privacy.ActionStop, privacy.ActionAllow:
		return d.wait(ctx, t)
	case privacy.ActionErase:
		return d.erase, nil
	}
	return unknownAction(), nil
}

// Poll looks again whether the phones have applied it.
func (d *device) Poll(ctx context.Context, t Task, _ store.Pending) (Outcome, error) {
	return d.wait(ctx, t)
}

// wait is done when all phones that are in use have applied the choice.
func (d *device) wait(ctx context.Context, t Task) (Outcome, error) {
	var ids []string
	for _, phone := range t.IDs.Live(d.now()) {
		ids = append(ids, phone.Installation)
	}
	if len(ids) == 0 {
		return noAddress(), nil // nobody to wait for; looked at again when a phone says something
	}
	done, err := d.acks.DeviceApplied(ctx, &t.Delivery, ids)
	if err != nil {
		return Outcome{}, err
	}
	if done {
		return settled(privacy.NoteDeviceDone), nil
	}
	return Outcome{State: privacy.DeliveryAccepted, Note: privacy.NoteDevice}, nil
}
