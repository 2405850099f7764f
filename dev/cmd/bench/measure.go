package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"elekt.no/innsyn/dev/stack"
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
	used      cpu
}

func (s *side) add(l load) {
	s.perSecond = append(s.perSecond, l.perSecond())
	s.took = append(s.took, l.took...)
	s.used = s.used.add(l.used)
}

// warmUp is how long each side runs before it is measured: statements are
// prepared and connections made.
const warmUp = 500 * time.Millisecond

// pair is both sides of a task.
type pair struct {
	options
	task     task
	meter    *meter
	stack    *stack.Stack
	bare     *bareProcess
	visitors []*visitor
	began    time.Time // of the benchmark
}

func (p *pair) onPortal(ctx context.Context, length time.Duration) (load, error) {
	return p.once(ctx, p.stack.Portal, p.task.path(), p.stack.Serve.PID(), length)
}

func (p *pair) onBare(ctx context.Context, length time.Duration) (load, error) {
	return p.once(ctx, p.bare.address, "/"+p.task.name, p.bare.cmd.Process.Pid, length)
}

func (p *pair) once(ctx context.Context, address, path string, pid int, length time.Duration) (load, error) {
	host := strings.TrimPrefix(address, "http://")
	senders, err := p.task.senders(ctx, p.stack.Portal, host, path, p.clients, p.visitors)
	if err != nil {
		return load{}, err
	}
	if p.task.write {
		if err := p.forget(ctx); err != nil {
			return load{}, err
		}
	}
	before, err := p.meter.read(ctx, pid)
	if err != nil {
		return load{}, err
	}
	l, err := shoot(ctx, host, senders, p.task.status(), length, p.requests)
	if err != nil {
		return l, err
	}
	after, err := p.meter.read(ctx, pid)
	l.used = after.sub(before)
	return l, err
}

// forget throws away what earlier toggles left in the outbox: nobody has a history
// of thousands there.
func (p *pair) forget(ctx context.Context) error {
	if _, err := p.meter.db.ExecContext(ctx, `DELETE FROM delivery WHERE purpose = $1 AND state = 'superseded' AND created_at >= $2`,
		purpose, p.began); err != nil {
		return err
	}
	_, err := p.meter.db.ExecContext(ctx, `VACUUM delivery`)
	return err
}

// measure lets both sides take turns, the one beginning that didn't the last time.
func (p *pair) measure(ctx context.Context) (*result, error) {
	r := &result{task: p.task}
	for _, f := range []func(context.Context, time.Duration) (load, error){p.onPortal, p.onBare} {
		if _, err := f(ctx, warmUp); err != nil {
			return nil, err
		}
	}
	for round := range p.rounds {
		var portal, bare load
		var err error
		if round%2 == 0 {
			if portal, err = p.onPortal(ctx, p.length); err == nil {
				bare, err = p.onBare(ctx, p.length)
			}
		} else {
			if bare, err = p.onBare(ctx, p.length); err == nil {
				portal, err = p.onPortal(ctx, p.length)
			}
		}
		if err != nil {
			return nil, err
		}
		r.portal.add(portal)
		r.bare.add(bare)
		r.ratios = append(r.ratios, portal.perSecond()/bare.perSecond())
	}
	slices.Sort(r.ratios)
	for _, s := range []*side{&r.portal, &r.bare} {
		slices.Sort(s.perSecond)
		slices.Sort(s.took)
	}
	sample, err := ask(ctx, p.stack.Portal, p.task, p.visitors[0])
	if err != nil {
		return nil, err
	}
	r.size = len(sample.Body)
	return r, nil
}

// senders are one for each connection. Pages are asked for by everybody in turn. Who
// toggles does so on one connection, since one person's choices wait for one another.
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
		var own toggler
		for j := i; j < len(visitors); j += n {
			form, err := visitors[j].form(ctx, portal)
			if err != nil {
				return nil, err
			}
			own.people = append(own.people, &person{func(f url.Values) []byte { return t.request(path, host, visitors[j], f) }, form})
		}
		out[i] = &own
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

// toggler lets its people toggle in turn.
type toggler struct {
	people []*person
	at     int
}

// person gives and withdraws by turns.
type person struct {
	request func(url.Values) []byte
	form    url.Values
}

func (t *toggler) next() ([]byte, error) {
	t.at++
	p := t.people[t.at%len(t.people)]
	b := p.request(p.form)
	var err error
	p.form, err = toggled(p.form)
	return b, err
}

func median(sorted []float64) float64 {
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s; %d bytes\n", r.task.title, r.size)
	line := func(name string, s side) {
		each := func(d time.Duration) float64 { return ms(d) / float64(len(s.took)) }
		fmt.Fprintf(w, "  %-7s %6.0f requests/s   p50 %6.2f ms   p99 %6.2f ms   processor %.2f ms, database's %.2f ms\n", name,
			median(s.perSecond), ms(percentile(s.took, 50)), ms(percentile(s.took, 99)), each(s.used.server), each(s.used.database))
	}
	line("portal", r.portal)
	line("bare", r.bare)
	each := func(s side) float64 { return ms(s.used.server+s.used.database) / float64(len(s.took)) }
	fmt.Fprintf(w, "  ratio   %6.2f (%.2f to %.2f in %d rounds), of processor time %.2f", median(r.ratios), r.ratios[0], r.ratios[len(r.ratios)-1],
		len(r.ratios), each(r.bare)/each(r.portal))
	switch {
	case r.task.aim == 0:
		fmt.Fprintln(w)
	case median(r.ratios) < r.task.aim:
		fmt.Fprintf(w, "; aim %.1f missed\n", r.task.aim)
	default:
		fmt.Fprintf(w, "; aim %.1f met\n", r.task.aim)
	}
}
