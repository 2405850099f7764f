package web

import (
	"context"
	"fmt"
	"net/http"

	"elekt.no/innsyn/privacy"
	"elekt.no/innsyn/store"
)

// deviceStore is what the app's phones need of the store.
type deviceStore interface {
	InstallationCustomer(ctx context.Context, installation string) (string, error)
	AcknowledgeDevice(ctx context.Context, installation string, states []store.DeviceState) error
}

// deviceAnswer is what an installation of the app is to apply.
type deviceAnswer struct {
	Known    bool           `json:"known"`
	Version  int64          `json:"version"`
	Consents []deviceWanted `json:"consents"`
}

// deviceWanted is the flag of one purpose, and whose kits it is for.
type deviceWanted struct {
	Purpose string `json:"purpose"`
	verdict
	Recipients []string `json:"recipients"`
}

// installation finds whose phone it is, and what they have chosen.
func (s *Server) installation(ctx context.Context, id string) (*store.Standing, map[string]privacy.Circumstances, error) {
	if !externalID.MatchString(id) {
		return nil, nil, wrong("installation", "1 to 128 characters of ASCII without spaces.")
	}
	no, err := s.store.InstallationCustomer(ctx, id)
	if privacy.KindOf(err) == privacy.NotFound {
		return nil, nil, refuse(privacy.NotFound, "unknown-installation", "installation", "The company's database has no such installation.")
	}
	if err != nil {
		return nil, nil, err
	}
	return s.standing(ctx, subject{store.CustomerSystem, no})
}

// deviceConsents is GET /api/v1/device/consents: the desired state of every purpose
// that the person can choose about. The app sets the kits of the recipients named,
// and says so with the version that it was given.
func (s *Server) deviceConsents(w http.ResponseWriter, r *http.Request) error {
	v, err := params(r, false, "installation")
	if err != nil {
		return err
	}
	ctx := r.Context()
	now, facts, err := s.installation(ctx, v[0])
	if err != nil {
		return err
	}
	out := deviceAnswer{Known: now.Person != "", Version: now.Version, Consents: []deviceWanted{}}
	for i := range s.catalogue.Purposes {
		p := &s.catalogue.Purposes[i]
		if p.Control == privacy.ControlNone {
			continue
		}
		d := deviceWanted{Purpose: p.ID, verdict: judge(p, now.Choices[p.ID], facts[now.Customer]), Recipients: p.Recipients}
		if d.Recipients == nil {
			d.Recipients = []string{}
		}
		if err := sure(p, now.Customer, facts, d.Allowed); err != nil {
			return err
		}
		out.Consents = append(out.Consents, d)
	}
	s.store.CountAsked(client(ctx).ID, store.AskedDevice, store.About{Person: now.Person})
	return s.replyTagged(w, r, s.tag(now, facts[now.Customer]), out)
}

// maxStates is how many flags one acknowledgement may hold.
const maxStates = 200

// deviceApplied is what an installation has applied.
type deviceApplied struct {
	Installation string `json:"installation"`
	Version      *int64 `json:"version"` // as deviceAnswer gave it
	States       []struct {
		Purpose   string `json:"purpose"`
		Recipient string `json:"recipient"` // whose kit; empty: all that learn it from the app
		Allowed   *bool  `json:"allowed"`
	} `json:"states"`
}

// acknowledgeDevice is POST /api/v1/device/acknowledgements.
func (s *Server) acknowledgeDevice(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r, false); err != nil {
		return err
	}
	var in deviceApplied
	if err := read(r, &in); err != nil {
		return err
	}
	switch n := len(in.States); {
	case in.Version == nil || *in.Version < 0:
		return wrong("version", "The version that the consents came with.")
	case n == 0:
		return wrong("states", "At least one.")
	case n > maxStates:
		return refuse(privacy.TooLarge, "too-many-states", "states", fmt.Sprintf("At most %d.", maxStates))
	}
	states := make([]store.DeviceState, len(in.States))
	for i, st := range in.States {
		p, err := s.catalogue.Purpose(st.Purpose)
		switch {
		case err != nil || p.Control == privacy.ControlNone:
			return refuse(privacy.Invalid, "unknown-purpose", fmt.Sprintf("states.%d.purpose", i), "There is no such choice.")
		case st.Allowed == nil:
			return wrong(fmt.Sprintf("states.%d.allowed", i), "It is missing.")
		case st.Recipient != "" && s.catalogue.Recipient(st.Recipient) == nil:
			return refuse(privacy.Invalid, "unknown-recipient", fmt.Sprintf("states.%d.recipient", i), "The catalogue has no such recipient.")
		}
		states[i] = store.DeviceState{Recipient: st.Recipient, Purpose: p.ID, Version: *in.Version, Allowed: *st.Allowed}
	}
	ctx := r.Context()
	now, _, err := s.installation(ctx, in.Installation)
	switch {
	case err != nil:
		return err
	case now.Person == "":
		return refuse(privacy.NotFound, reasonUnknownPerson, "installation", "Its owner isn't known here, and has chosen nothing.")
	case *in.Version > now.Version:
		// Nothing may be confirmed before it is chosen.
		return refuse(privacy.Conflict, "version-ahead", "version", fmt.Sprintf("The person's choices are at version %d.", now.Version))
	}
	if err := s.store.AcknowledgeDevice(ctx, in.Installation, states); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
