package privacy

// JobArgs is the arguments of a job: a kind, and ids only. What the job needs to
// know it reads when it runs.
type JobArgs interface{ Kind() string }

// BringUpToDate tells a recipient everything that is outstanding about a person,
// in the order of versions.
type BringUpToDate struct {
	Person    PersonRef `json:"person"`
	Recipient string    `json:"recipient"`
}

// Kind names the job.
func (BringUpToDate) Kind() string { return "bring_up_to_date" }

// PollDelivery asks a recipient how far it has come with what it took on about a
// person.
type PollDelivery struct {
	Person    PersonRef `json:"person"`
	Recipient string    `json:"recipient"`
}

// Kind names the job.
func (PollDelivery) Kind() string { return "poll_delivery" }

// SendCode makes a one-time code and sends it to the contact on file.
type SendCode struct {
	Code string `json:"code"` // id of the code's row, not the code
}

// Kind names the job.
func (SendCode) Kind() string { return "send_code" }
