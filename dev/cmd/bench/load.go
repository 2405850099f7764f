package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sender is one connection's requests, one after the other.
type sender interface {
	// next is the bytes of the next request; what came before was answered rightly.
	next() ([]byte, error)
}

// load is what one measurement gave.
type load struct {
	took  []time.Duration // of each request, sorted
	while time.Duration
	used  cpu
}

func (l load) perSecond() float64 { return float64(len(l.took)) / l.while.Seconds() }

// percentile is the time within which p percent of the requests were answered.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// shoot sends requests over one kept connection per sender until the time is up or
// so many have been sent. Any answer but status ends it. It writes and reads by
// itself: net/http's client would take as much of the machine as what it measures.
func shoot(ctx context.Context, address string, senders []sender, status int, length time.Duration, requests int) (load, error) {
	ctx, cancel := context.WithTimeout(ctx, length+20*time.Second)
	defer cancel()
	conns := make([]net.Conn, len(senders))
	for i := range conns {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return load{}, err
		}
		defer c.Close()
		if deadline, ok := ctx.Deadline(); ok {
			if err := c.SetDeadline(deadline); err != nil {
				return load{}, err
			}
		}
		conns[i] = c
	}
	var left atomic.Int64
	left.Store(int64(requests))
	took, errs := make([][]time.Duration, len(senders)), make([]error, len(senders))
	began := time.Now()
	until := began.Add(length)
	var all sync.WaitGroup
	for i, s := range senders {
		all.Go(func() {
			in := bufio.NewReaderSize(conns[i], 32<<10)
			for ctx.Err() == nil && time.Now().Before(until) && left.Add(-1) >= 0 {
				b, err := s.next()
				if err != nil {
					errs[i] = err
					return
				}
				start := time.Now()
				if _, err := conns[i].Write(b); err != nil {
					errs[i] = err
					return
				}
				if err := answered(in, status); err != nil {
					errs[i] = err
					return
				}
				took[i] = append(took[i], time.Since(start))
			}
		})
	}
	all.Wait()
	l := load{took: slices.Concat(took...), while: time.Since(began)}
	slices.Sort(l.took)
	return l, errors.Join(append(errs, ctx.Err())...)
}

// answered reads one answer to its end.
func answered(in *bufio.Reader, status int) error {
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	if r.StatusCode != status {
		var start bytes.Buffer
		_, err := io.CopyN(&start, r.Body, 2000)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return errors.Join(fmt.Errorf("answer %s: %s", r.Status, start.String()), err)
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err
}
