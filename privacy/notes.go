package privacy

// Notes that say why a delivery is in its state where pages or other code must
// know. All others are for logs: as http-503, bad-answer, gave-up.
const (
	// NoteDevice, with accepted: the app hasn't yet said that it applied the choice.
	NoteDevice = "waiting-device"
	// NoteDeviceDone, with confirmed: every phone with the app has said so.
	NoteDeviceDone = "device"
	// NoteManual, with needs_manual: this recipient is told by a human, always. Any
	// other note with needs_manual means that a call went wrong.
	NoteManual = "manual"
	// NoteUserLink, with needs_manual: only the person can do it, at the recipient.
	NoteUserLink = "user-link"
	// NoteOwnStop, with confirmed: the stop is the company's own, and there is
	// nothing to tell the recipient.
	NoteOwnStop = "own-stop"
	// NoteNothingKept, with confirmed: the recipient keeps nothing that rested on the
	// choice.
	NoteNothingKept = "nothing-kept"
	// NoteStillNeeded, with confirmed: nothing was deleted, because another purpose
	// that the person hasn't said no to needs the same data there. Its own no, when
	// it comes, deletes it.
	NoteStillNeeded = "still-needed"
	// NoteKeptByLaw, with refused: the recipient must keep it.
	NoteKeptByLaw = "kept-by-law"
	// NoteNotSignalled, with accepted: the recipient carries it out later and never
	// says when.
	NoteNotSignalled = "not-signalled"
)
