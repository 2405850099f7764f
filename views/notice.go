package views

// PrivacyNotice is the privacy notice, drawn from the catalogue.
// law: GDPR 12(1), 13, 14
type PrivacyNotice struct {
	Shell
	Version    string // day of the revision, in full
	Controller Controller
	Sections   []NoticeSection
	Data       []NoticeData
	Least      int // age in years
	// Proof is how long a choice is kept as evidence, in words: "tre år".
	Proof string
}

// Controller is who answers for the use of data, and how to reach them.
type Controller struct {
	Name    string
	OrgNo   string
	Address string // on one line
	Support string // e-mail
	DPO     string // e-mail
}

// NoticeSection is a heading of the policy with its purposes.
type NoticeSection struct {
	No       string
	Title    string
	Purposes []NoticePurpose
}

// NoticePurpose is one purpose in the notice.
type NoticePurpose struct {
	ID      string
	Title   string
	Summary string
	Control string // what the person can do about it, a sentence
	Terms   Terms
}

// NoticeData is one category of data.
type NoticeData struct {
	Title    string
	Examples string
	Source   string // where it comes from, a few words
}
