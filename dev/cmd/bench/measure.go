package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
)

// result is a task measured on both sides.
type result struct {
	task   task
	size   int // of an answer, in bytes, as it goes over the wire
	portal side
	bare   side
	ratios []float64 // portal to bare in requests per second, a round each, sorted
}

type side struct {
	perSecond []float64 // a round each, sorted
	took      []time.Duration
}

func (s *side) add(l load) {
	s.perSecond = append(s.perSecond, l.perSecond())
	s.took = append(s.took, l.took...)
}

// warmUp is how long each side runs before it is measured: statements are
// prepared and connections made.
const warmUp = 500 * time.Millisecond

// measure lets both sides take turns, the one beginning that didn't the last time.
func measure(ctx context.Context, o options, t task, portal, bare string, visitors []*visitor) (*result, error) {
	r := &result{task: t}
	once := func(address, path string, length time.Duration) (load, error) {
		host := strings.TrimPrefix(address, "http://")
		senders, err := t.senders(ctx, portal, host, path, o.clients, visitors)
		if err != nil {
			return load{}, err
		}
		return shoot(ctx, host, senders, t.status(), length, o.requests)
	}
	onPortal := func(length time.Duration) (load, error) { return once(portal, t.path(), length) }
	onBare := func(length time.Duration) (load, error) { return once(bare, "/"+t.name, length) }
	for _, f := range []func(time.Duration) (load, error){onPortal, onBare} {
		if _, err := f(warmUp); err != nil {
			return nil, err
		}
	}
	for round := range o.rounds {
		var p, b load
		var err error
		if round%2 == 0 {
			if p, err = onPortal(o.length); err == nil {
				b, err = onBare(o.length)
			}
		} else {
			if b, err = onBare(o.length); err == nil {
				p, err = onPortal(o.length)
			}
		}
		if err != nil {
			return nil, err
		}
		r.portal.add(p)
		r.bare.add(b)
		r.ratios = append(r.ratios, p.perSecond()/b.perSecond())
	}
	slices.Sort(r.ratios)
	for _, s := range []*side{&r.portal, &r.bare} {
		slices.Sort(s.perSecond)
		slices.Sort(s.took)
	}
	sample, err := ask(ctx, portal, t, visitors[0])
	if err != nil {
		return nil, err
	}
	r.size = len(sample.Body)
	return r, nil
}

// senders are one for each connection. Pages are asked for by everybody in turn; a
// toggle by one person per connection, since one person's choices wait for one
// another.
func (t task) senders(ctx context.Context, portal, host, path string, n int, visitors []*visitor) ([]sender, error) {
	out := make([]sender, n)
	if !t.write {
		requests := make([][]byte, len(visitors))
		for i, v := range visitors {
			requests[i] = t.request(path, host, v, nil)
		}
		for i := range out {
			out[i] = &reader{requests, i}
		}
		return out, nil
	}
	for i := range out {
		form, err := visitors[i].form(ctx, portal)
		if err != nil {
			return nil, err
		}
		out[i] = &toggler{func(f url.Values) []byte { return t.request(path, host, visitors[i], f) }, form}
	}
	return out, nil
}

// reader asks for the pages of everybody in turn.
type reader struct {
	requests [][]byte
	at       int
}

func (r *reader) next() ([]byte, error) {
	r.at++
	return r.requests[r.at%len(r.requests)], nil
}

// toggler gives and withdraws by turns.
type toggler struct {
	request func(url.Values) []byte
	form    url.Values
}

func (t *toggler) next() ([]byte, error) {
	b := t.request(t.form)
	var err error
	t.form, err = toggled(t.form)
	return b, err
}

func median(sorted []float64) float64 {
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s; %d bytes\n", r.task.title, r.size)
	line := func(name string, s side) {
		ms := func(p int) float64 { return float64(percentile(s.took, p).Microseconds()) / 1000 }
		fmt.Fprintf(w, "  %-8s %7.0f requests/s   p50 %6.2f ms   p99 %6.2f ms\n", name, median(s.perSecond), ms(50), ms(99))
	}
	line("portal", r.portal)
	line("bare", r.bare)
	verdict := "met"
	if median(r.ratios) < r.task.aim {
		verdict = "missed"
	}
	fmt.Fprintf(w, "  ratio    %7.2f (%.2f to %.2f in %d rounds); aim %.1f: %s\n",
		median(r.ratios), r.ratios[0], r.ratios[len(r.ratios)-1], len(r.ratios), r.task.aim, verdict)
}
