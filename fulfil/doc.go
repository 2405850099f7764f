// Package fulfil does in the background what people have decided: it tells the
// recipients of their data, and sends people the messages that they asked for.
//
// A choice writes, in its own transaction, a row for each recipient and action
// (the outbox, table delivery) and enqueues a job "bring recipient R up to date
// for person P". A job says only that there may be something to do; what there
// is to do stands in the outbox. So a job may run twice, late, or not at all
// (a sweep finds rows that should have been sent), and order never rests on the
// queue: the job takes hold of the pair of person and recipient, which one
// worker among all nodes can have (store.Pair), sends what is outstanding in the
// order of versions, and looks again before it lets go. Order matters within a
// purpose: a row that waits for its next attempt holds back what came after it for
// the same purpose, never a no to something else.
//
// The attempt is on record before the call, with the row's id, which every
// repeat carries. A worker can be killed at any instruction: the row stays "sent"
// and its hold is gone with it. A call lasts store.CallTime at most; for that long
// the next worker says nothing, so that an old yes can't arrive after a new no.
// Then it makes the call again, unless a newer choice took its place. Connectors
// therefore ask for states ("is stopped"), never for steps.
//
// A recipient without a connection of its own is told as its mode in the catalogue
// says: through the app (accepted until every phone said that it applied the
// choice), by a human (a task with a template and a last day), by the person, or not
// at all. A recipient that takes something on and does it later is asked how that
// went, by a job of its own kind; where nobody tells, the row stays accepted, and is
// never shown as done.
//
// What an answer means is the same for all recipients: 2xx is done, 404 to an
// erasure too; 408, 425, 429, 5xx and silence are tried again, later each time
// and not before Retry-After; every other answer goes to a human, because asking
// again can't help. After three days of failures a human is asked as well. Where a
// human must act the log says so as an error, with the row's id.
//
// Rows, jobs and logs hold ids and short codes. The e-mail address, the phone
// number and other names of a person at recipients are read from the company's
// database when the call is made, and never the national identity number. An
// error of the HTTP client, which would name the address, goes no further than
// the function that made the call.
//
// law: GDPR 19 (recipients are told), 7(3), 17, 21
package fulfil
