package fulfil

import (
	"fmt"
	"reflect"
	"time"

	"elekt.no/innsyn/privacy"
)

// Recipients are the connections of a company, by the recipient's id in the
// catalogue; those that are nil are not connected. Google's recipients share a
// service account.
type Recipients struct {
	Mailgun   *MailgunConfig   `yaml:"mailgun"`
	Sveve     *SveveConfig     `yaml:"sveve"`
	Eliq      *EliqConfig      `yaml:"eliq"`
	Enode     *EnodeConfig     `yaml:"enode"`
	Meta      *MetaConfig      `yaml:"meta"`
	Google    *GoogleConfig    `yaml:"google"`
	Analytics *AnalyticsConfig `yaml:"google-analytics"`
	Ads       *AdsConfig       `yaml:"google-ads"`
	FCM       *FCMConfig       `yaml:"fcm"`
	Firebase  *FirebaseConfig  `yaml:"firebase"`
	Xandr     *XandrConfig     `yaml:"xandr"`
	Aiia      *AiiaConfig      `yaml:"aiia"`
	Elhub     *ElhubConfig     `yaml:"elhub"`
}

// Validate names the first fault of the configuration, after the recipient's id.
func (r *Recipients) Validate() error {
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			continue
		}
		if c, ok := v.Field(i).Interface().(interface{ Validate() error }); ok {
			if err := c.Validate(); err != nil {
				return fmt.Errorf("%s: %w", v.Type().Field(i).Tag.Get("yaml"), err)
			}
		}
	}
	if r.Google == nil && (r.Analytics != nil || r.Ads != nil || r.FCM != nil || r.Firebase != nil) {
		return fmt.Errorf("google: the service account that calls is missing")
	}
	return nil
}

// connect makes the connections of the configuration, and for each recipient of the
// catalogue what its mode comes to where there is none.
func (r *Recipients) connect(o Options, now func() time.Time) (connectors, others map[string]Connector, err error) {
	if err := r.Validate(); err != nil {
		return nil, nil, err
	}
	c := o.Catalogue
	purposes := map[string]all{}
	for _, p := range c.Purposes {
		for _, id := range p.Recipients {
			purposes[id] = append(purposes[id], p.ID)
		}
	}
	phones := func(id string, erase Outcome) *device {
		return &device{all: purposes[id], acks: o.Store, now: now, erase: erase}
	}
	connectors, others = map[string]Connector{}, map[string]Connector{}
	for _, rec := range c.Recipients {
		switch rec.Mode {
		case privacy.ModeDevice:
			erase := byHand(TaskAds)
			if rec.ID == "admob" { // it has an advertising id and nothing else, which the person resets on the phone
				erase = Outcome{State: privacy.DeliveryNeedsManual, Note: privacy.NoteUserLink}
			}
			others[rec.ID] = phones(rec.ID, erase)
		case privacy.ModeManual:
			others[rec.ID] = newManual(rec.ID, purposes[rec.ID])
		case privacy.ModeUserLink:
			others[rec.ID] = userLink{purposes[rec.ID]}
		case privacy.ModeEDI:
			others[rec.ID] = userLink{purposes[rec.ID]} // without a message service the person does it
		case privacy.ModeNone:
			others[rec.ID] = nobody{purposes[rec.ID]}
		}
	}
	if c.Recipient("xandr") != nil {
		connectors["xandr"] = newXandr(r.Xandr, phones("xandr", Outcome{}))
	}
	if r.Mailgun != nil {
		connectors["mailgun"] = newMailgun(*r.Mailgun, now)
	}
	if c.Recipient(sveveID) != nil && len(o.AddressKey) > 0 {
		list := &smsList{all: purposes[sveveID], store: o.Store, key: o.AddressKey}
		if r.Sveve != nil {
			list.uses = r.Sveve.Purposes
		}
		connectors[sveveID] = list
	}
	if r.Eliq != nil {
		connectors["eliq"] = newEliq(*r.Eliq, now)
	}
	if r.Enode != nil {
		connectors["enode"] = newEnode(*r.Enode, now)
	}
	if r.Meta != nil {
		connectors["meta"] = newMeta(*r.Meta, now)
	}
	if r.Aiia != nil {
		connectors["aiia"] = newAiia(*r.Aiia, now)
	}
	if r.Elhub != nil {
		connectors["elhub"] = newElhub(*r.Elhub, now)
	}
	if r.Google != nil {
		g, err := newGoogle(*r.Google, now)
		if err != nil {
			return nil, nil, fmt.Errorf("google: %w", err)
		}
		if r.Analytics != nil {
			connectors["google-analytics"] = newAnalytics(*r.Analytics, g, phones("google-analytics", Outcome{}))
		}
		if r.Ads != nil {
			connectors["google-ads"] = newAds(*r.Ads, g)
		}
		if r.FCM != nil {
			connectors["fcm"] = newFCM(*r.FCM, g)
		}
		if r.Firebase != nil {
			connectors["firebase"] = newFirebase(*r.Firebase, g, phones("firebase", Outcome{}))
		}
	}
	for id, conn := range connectors {
		for _, p := range conn.Purposes() {
			if _, err := c.Purpose(p); err != nil {
				return nil, nil, fmt.Errorf("%s: purposes.%s: the catalogue has no such purpose", id, p)
			}
		}
	}
	return connectors, others, nil
}
