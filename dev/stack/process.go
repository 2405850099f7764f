package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is one command of the binary that runs until it is stopped. Tests may
// kill it and start it again.
type Process struct {
	name string
	logs io.Writer
	argv []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// stopTimeout is how long a process may take to end in order.
const stopTimeout = 20 * time.Second

func newProcess(name string, logs io.Writer, argv ...string) *Process {
	return &Process{name: name, logs: logs, argv: argv}
}

// Start starts the process. It must not run already.
func (p *Process) Start() error {
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Env = environment()
	out := &lines{to: p.logs, prefix: p.name + " | "}
	cmd.Stdout, cmd.Stderr = out, out
	// A session of its own: Ctrl-C is for us, and we end it in order. On a busy
	// machine it also gets its own share of time, as it would as a service.
	// SIGKILL when we are gone: nothing of it may hold the port then.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	done := make(chan struct{})
	started := make(chan error)
	go func() {
		// The signal comes when the thread that started the child ends, so this
		// one lives as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		err := cmd.Wait()
		out.flush()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(done)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.done, p.err = cmd, done, nil
	return nil
}

// PID is the process that runs, or the last one that did.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// Err is how the process ended, once Done is closed; nil if it ended in order.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Stop asks the process to end and waits for it. One that has ended is no error.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM) }

// Kill ends the process at once, as a power cut would.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL) }

func (p *Process) end(signal syscall.Signal) error {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-done:
		return nil
	case <-time.After(stopTimeout):
		cmd.Process.Kill()
		<-done
		return fmt.Errorf("%s did not stop within %s and was killed", p.name, stopTimeout)
	}
}

// migrate runs the binary's own command; what it says is shown if it fails.
func migrate(ctx context.Context, binary, config string, logs io.Writer) error {
	cmd := exec.CommandContext(ctx, binary, "migrate", "--config", config)
	cmd.Env = environment()
	out, err := cmd.CombinedOutput()
	w := &lines{to: logs, prefix: "migrate | "}
	if _, werr := w.Write(out); werr != nil {
		return werr
	}
	w.flush()
	if err != nil {
		return fmt.Errorf("the database could not be migrated: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// environment is ours without the variables that would win over the configuration.
func environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "INNSYN_") && !strings.HasPrefix(kv, "PG") {
			env = append(env, kv)
		}
	}
	return env
}

// lines writes whole lines, each with a prefix, so that processes don't mix theirs.
type lines struct {
	to     io.Writer
	prefix string
	mu     sync.Mutex
	rest   []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 {
			return len(b), nil
		}
		if _, err := io.WriteString(l.to, l.prefix+string(l.rest[:i+1])); err != nil {
			return 0, err
		}
		l.rest = l.rest[i+1:]
	}
}

func (l *lines) flush() {
	l.mu.Lock()
	rest := len(l.rest) > 0
	l.mu.Unlock()
	if rest {
		l.Write([]byte("\n"))
	}
}
