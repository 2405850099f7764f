package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/lib/pq"

	"elekt.no/innsyn/dev/stack"
)

// bareConfig is what the bare handler is told on its standard input.
type bareConfig struct {
	Database, Company string
	Connections       int               // to each database, as the portal has
	Answers           map[string]answer // by path
}

// bareProcess is the bare handler, running.
type bareProcess struct {
	address string
	cmd     *exec.Cmd
	input   io.Closer
}

// connections is what the portal takes of each database if nothing is configured.
const connections = 8

// startBare starts this program again as the bare handler, with one answer of the
// portal for each task.
func startBare(ctx context.Context, s *stack.Stack, o options, v *visitor) (*bareProcess, error) {
	config := bareConfig{Database: s.Databases.App, Company: s.Databases.Company, Connections: connections, Answers: map[string]answer{}}
	for _, t := range everything {
		asked := t
		asked.gzip = t.gzip && !t.compress
		a, err := ask(ctx, s.Portal, asked, v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		a.Compress = t.compress
		config.Answers["/"+t.name] = *a
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, bareCommand)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // as the portal; ended by its input, in order
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &bareProcess{cmd: cmd, input: in}
	if err := json.NewEncoder(in).Encode(config); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	if _, err := fmt.Fscanln(out, &b.address); err != nil {
		return nil, errors.Join(fmt.Errorf("the bare handler doesn't start: %w", err), b.stop())
	}
	return b, nil
}

func (b *bareProcess) stop() error { return errors.Join(b.input.Close(), b.cmd.Wait()) }

// serveBare is the bare handler's process: it reads its configuration, says its
// address, and ends when its input does.
func serveBare(ctx context.Context, in io.Reader, out io.Writer) error {
	var config bareConfig
	dec := json.NewDecoder(in)
	if err := dec.Decode(&config); err != nil {
		return err
	}
	b, err := newBare(ctx, config)
	if err != nil {
		return err
	}
	h, err := b.handler(config.Answers)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		io.Copy(io.Discard, in)
		server.Close()
	}()
	if _, err := fmt.Fprintf(out, "http://%s\n", l.Addr()); err != nil {
		return err
	}
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bare answers as little as can be: it asks the database what the portal asks it
// for, with statements prepared once, and writes a constant.
type bare struct {
	db                               *sql.DB
	catalogue                        []byte
	session, link, customer, choices *sql.Stmt
	choose, deliver, supersede, jobs *sql.Stmt
}

func newBare(ctx context.Context, c bareConfig) (*bare, error) {
	h := &bare{}
	var err error
	if h.db, err = openBare(c.Database, c.Connections); err != nil {
		return nil, err
	}
	company, err := openBare(c.Company, c.Connections)
	if err != nil {
		return nil, err
	}
	for _, s := range []struct {
		to    **sql.Stmt
		db    *sql.DB
		query string
	}{
		{&h.session, h.db, bareSession}, {&h.link, h.db, bareLink}, {&h.customer, company, bareCustomer}, {&h.choices, h.db, bareChoices},
		{&h.choose, h.db, bareChoose}, {&h.deliver, h.db, bareDeliver}, {&h.supersede, h.db, bareSupersede}, {&h.jobs, h.db, bareJobs},
	} {
		if *s.to, err = s.db.PrepareContext(ctx, s.query); err != nil {
			return nil, fmt.Errorf("%s: %w", s.query, err)
		}
	}
	err = h.db.QueryRowContext(ctx, `SELECT hash FROM catalogue ORDER BY loaded_at DESC LIMIT 1`).Scan(&h.catalogue)
	return h, err
}

func openBare(url string, n int) (*sql.DB, error) {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// handler has a path for each answer.
func (h *bare) handler(answers map[string]answer) (http.Handler, error) {
	// As package web compresses.
	compress, err := gzhttp.NewWrapper(gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.MinSize(512), gzhttp.RandomJitter(32, 0, false))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for path, a := range answers {
		var one http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, a) })
		if a.Compress {
			one = compress(one)
		}
		mux.Handle(path, one)
	}
	return mux, nil
}

func (h *bare) answer(w http.ResponseWriter, r *http.Request, a answer) {
	person, err := h.who(r)
	if err == nil && a.Write {
		err = h.toggle(r.Context(), person, r.PostFormValue("decision"), r.PostFormValue("text"))
	} else if err == nil {
		err = h.read(r.Context(), person)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for name, values := range a.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Status)
	w.Write(a.Body)
}

const bareSession = `SELECT s.public_id, s.person_ref, s.login_id, l.provider, s.class, s.assurance, s.auth_at, s.given_name,
	s.family_name, s.user_agent, s.created_at, s.seen_at, s.expires_at FROM session s JOIN login l USING (login_id)
	WHERE s.id_hash = $1 AND s.expires_at > $2`

// who looks the session up.
func (h *bare) who(r *http.Request) (person string, err error) {
	c, err := r.Cookie("innsyn")
	if err != nil {
		return "", err
	}
	id, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(id)
	var public, login, provider, class, given, family, agent string
	var assurance int
	var authAt, created, seen, expires time.Time
	err = h.session.QueryRowContext(r.Context(), hash[:], time.Now()).Scan(&public, &person, &login, &provider, &class, &assurance, &authAt,
		&given, &family, &agent, &created, &seen, &expires)
	return person, err
}

const (
	bareLink = `SELECT link_id, external_id FROM person_link WHERE person_ref = $1 AND system = 'customer' AND ended_at IS NULL`

	bareCustomer = `SELECT customer_no, given_name, family_name, birth_date, coalesce(email, ''), coalesce(phone, ''), coalesce(street, ''),
		coalesce(postal_code, ''), coalesce(city, ''), plan, shop_customer_id IS NOT NULL, protected_address, language, created_at
		FROM elekt.customer WHERE customer_no = $1`

	bareChoices = `SELECT purpose, decision, at, version, revision, text, language, channel, erase_after, due_on FROM choice WHERE person_ref = $1`
)

// read reads what the page of consents is made of.
func (h *bare) read(ctx context.Context, person string) error {
	var link, number string
	err := h.link.QueryRowContext(ctx, person).Scan(&link, &number)
	if err == nil {
		var given, family, email, phone, street, code, city, plan, language string
		var born sql.NullTime
		var shop, protected bool
		var created time.Time
		err = h.customer.QueryRowContext(ctx, number).Scan(&number, &given, &family, &born, &email, &phone, &street, &code, &city, &plan,
			&shop, &protected, &language, &created)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	rows, err := h.choices.QueryContext(ctx, person)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var purpose, decision, language, channel string
		var at time.Time
		var version, revision int64
		var text []byte
		var erase, due sql.NullTime
		if err := rows.Scan(&purpose, &decision, &at, &version, &revision, &text, &language, &channel, &erase, &due); err != nil {
			return err
		}
	}
	return rows.Err()
}

const (
	bareChoose = `WITH v AS (
			UPDATE person SET choices_version = choices_version + 1 WHERE person_ref = $1 RETURNING choices_version
		), l AS (
			INSERT INTO ledger_leaf (leaf) VALUES ($2) RETURNING leaf_id
		), e AS (
			INSERT INTO ledger_entry (leaf_id, salt, person_ref, purpose, decision, also, catalogue, text, language, channel, actor, at)
			SELECT leaf_id, $3, $1, $4, $5, '', $6, $7, 'nb', 'web', 'person', $8 FROM l
		), c AS (
			INSERT INTO choice (person_ref, purpose, decision, at, version, revision, text, language, channel, erase_after, leaf_id)
			SELECT $1, $4, $5, $8, choices_version, 1, $7, 'nb', 'web', $9, leaf_id FROM v, l
			ON CONFLICT (person_ref, purpose) DO UPDATE SET decision = EXCLUDED.decision, at = EXCLUDED.at, version = EXCLUDED.version,
				text = EXCLUDED.text, erase_after = EXCLUDED.erase_after, leaf_id = EXCLUDED.leaf_id
		)
		SELECT choices_version FROM v`

	bareDeliver = `INSERT INTO delivery (person_ref, recipient, purpose, action, version, not_before, created_at, changed_at)
		SELECT $1, recipient, $2, action, $3, not_before, $4, $4
		FROM unnest($5::text[], $6::text[], $7::timestamptz[]) AS n (recipient, action, not_before)`

	// What the toggle before left in the outbox would grow without end.
	bareSupersede = `UPDATE delivery SET state = 'superseded', note = 'newer-choice', changed_at = $4
		WHERE person_ref = $1 AND recipient = ANY($2) AND state = 'queued' AND purpose = $3 AND version < $5`

	bareJobs = `INSERT INTO river_job (args, kind, max_attempts, metadata, priority, queue, scheduled_at, state, tags)
		SELECT args, 'bring_up_to_date', 25, '{}', 1, 'default', scheduled_at, state, '{}'
		FROM unnest($1::jsonb[], $2::timestamptz[], $3::river_job_state[]) AS n (args, scheduled_at, state)`
)

// told are the recipients of the purpose.
var told = []string{"mailgun", "sveve"}

// toggle writes the rows that a choice of the portal writes.
func (h *bare) toggle(ctx context.Context, person, decision, text string) error {
	shown, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	var leaf, salt [32]byte
	rand.Read(leaf[:])
	rand.Read(salt[:])
	now := time.Now().UTC()
	later := now.Add(24 * time.Hour)
	var recipients, actions, args, states []string
	var notBefore, scheduled []time.Time
	var erase sql.NullTime
	for _, r := range told {
		job := fmt.Sprintf(`{"person_ref":%q,"recipient":%q}`, person, r)
		args, states, scheduled = append(args, job), append(states, "available"), append(scheduled, now)
		if decision == "give" {
			recipients, actions, notBefore = append(recipients, r), append(actions, "allow"), append(notBefore, now)
			continue
		}
		recipients, actions, notBefore = append(recipients, r, r), append(actions, "stop", "erase"), append(notBefore, now, later)
		args, states, scheduled = append(args, job), append(states, "scheduled"), append(scheduled, later)
		erase = sql.NullTime{Time: later, Valid: true}
	}
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int64
	if err := tx.StmtContext(ctx, h.choose).QueryRowContext(ctx, person, leaf[:], salt[:], purpose, decision, h.catalogue, shown, now, erase).
		Scan(&version); err != nil {
		return err
	}
	if _, err := tx.StmtContext(ctx, h.deliver).ExecContext(ctx, person, purpose, version, now,
		pq.StringArray(recipients), pq.StringArray(actions), pq.Array(notBefore)); err != nil {
		return err
	}
	if _, err := tx.StmtContext(ctx, h.supersede).ExecContext(ctx, person, pq.StringArray(told), purpose, now, version); err != nil {
		return err
	}
	if _, err := tx.StmtContext(ctx, h.jobs).ExecContext(ctx, pq.StringArray(args), pq.Array(scheduled), pq.StringArray(states)); err != nil {
		return err
	}
	return tx.Commit()
}
