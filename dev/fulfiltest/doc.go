// Package fulfiltest tries the worker of package fulfil against the stand-ins of
// package standin, which refuse whatever the recipients' documents don't have:
// the real worker, queue and database, the real catalogue, a demo person.
package fulfiltest
