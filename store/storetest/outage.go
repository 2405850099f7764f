package storetest

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/lib/pq"

	"elekt.no/innsyn/internal/pgdev"
)

// Outage stands between a program and its database and can be broken: running
// connections are cut and new ones refused, as when the server goes away.
type Outage struct {
	AppURL string // as DB.AppURL, but through here

	network, address string // the real server
	socket           string // ours
	mu               sync.Mutex
	listener         net.Listener
	conns            map[net.Conn]bool
}

// Outage makes a way to the database that a test can break and mend.
func (d *DB) Outage(t testing.TB) *Outage {
	t.Helper()
	config, err := pq.NewConfig(d.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "outage-") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(int(config.Port))
	o := &Outage{network: "tcp", address: net.JoinHostPort(config.Host, port),
		socket: filepath.Join(dir, ".s.PGSQL."+port), conns: map[net.Conn]bool{}}
	if filepath.IsAbs(config.Host) {
		o.network, o.address = "unix", filepath.Join(config.Host, ".s.PGSQL."+port)
	}
	if o.AppURL, err = pgdev.With(d.AppURL, "host", dir, "sslmode", "disable"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		o.Begin(t)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	o.End(t)
	return o
}

// Begin takes the database away.
func (o *Outage) Begin(t testing.TB) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.listener == nil {
		return
	}
	if err := o.listener.Close(); err != nil {
		t.Error(err)
	}
	o.listener = nil
	for c := range o.conns {
		c.Close() // may have ended by itself
	}
	clear(o.conns)
}

// End brings the database back.
func (o *Outage) End(t testing.TB) {
	t.Helper()
	l, err := net.Listen("unix", o.socket)
	if err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listener = l
	go o.accept(l)
}

func (o *Outage) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // closed by Begin
		}
		server, err := net.Dial(o.network, o.address)
		if err != nil {
			client.Close()
			continue
		}
		o.mu.Lock()
		if o.listener != l { // the outage began in between
			client.Close()
			server.Close()
		} else {
			o.conns[client], o.conns[server] = true, true
			go pipe(client, server)
			go pipe(server, client)
		}
		o.mu.Unlock()
	}
}

// pipe copies until one side ends and then ends the other.
func pipe(to, from net.Conn) {
	io.Copy(to, from)
	to.Close()
	from.Close()
}
