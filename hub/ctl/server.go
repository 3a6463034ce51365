package ctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"tradehub/hub"
)

// Operator is what a hub can be asked. An error that is a *ProblemError goes out as it is, another as its text. by is the user who asks.
type Operator interface {
	Status() Status
	Plugins() []Plugin
	Accounts() []Account
	Calendars() []Calendar
	// Alerts are those after the one of a number, the oldest first; it waits for one until ctx ends.
	Alerts(ctx context.Context, after uint64) []Alert
	// Orders are a trader's, "" for all traders'; Trades likewise. Positions of "" are the fund's.
	Orders(trader string, activeOnly bool) ([]Order, error)
	Trades(trader string) ([]Trade, error)
	Positions(trader string) ([]Position, error)

	Watches() []Watch
	// SetState sets "HALTED", "CANCEL_ONLY", "REDUCE_ONLY" or "ACTIVE" for one of the trader, the gateway and the fund that whom names, and says what holds now.
	SetState(ctx context.Context, state string, whom Whom, by string) (said string, err error)
	// Rates are what currencies are worth; SetRate says so of one.
	Rates() Rates
	SetRate(ctx context.Context, rate NewRate, by string) (Rates, error)
	// PublishedNumbers are those that rules can ask for; PublishNumbers says some, all or none.
	PublishedNumbers() []PublishedNumber
	PublishNumbers(ctx context.Context, n NewNumbers, by string) ([]PublishedNumber, error)
	// Breaks are where books and venues' accounts differ; the transfers are the operator's way to say whose is what.
	Breaks() Breaks
	TransferPosition(ctx context.Context, t PositionTransfer, by string) (Transferred, error)
	TransferCapital(ctx context.Context, t CapitalTransfer, by string) (Transferred, error)
	// Overrides are those that are open, and the last that ended. Asking, approving and withdrawing are two persons' work.
	Overrides() []Override
	AskOverride(ctx context.Context, question OverrideQuestion, by hub.Person) (Override, error)
	ApproveOverride(ctx context.Context, number uint64, by hub.Person) (Override, error)
	WithdrawOverride(ctx context.Context, number uint64, reason string, by hub.Person) (Override, error)
	// Amend changes price and quantity of a working order.
	Amend(ctx context.Context, a NewAmendment, by string) (Order, error)
	CancelAll(ctx context.Context, whom Whom, by string) (Cancelled, error)
	// Flatten begins to close positions; Status says how it goes on.
	Flatten(ctx context.Context, whom Whom, by string) (Flattening, error)
	ReloadPolicy(ctx context.Context, by string) (Reloaded, error)
	// Explain is all that the permanent record has of an order, in its own form. PolicyLog and Policy are of policies that were loaded; RollbackPolicy puts one of them in force again.
	Explain(ctx context.Context, order, language string) (any, error)
	PolicyLog(ctx context.Context) ([]Loaded, error)
	Policy(ctx context.Context, revision string) (Loaded, error)
	RollbackPolicy(ctx context.Context, revision, by string) (RolledBack, error)
	// StartRPC and StopRPC answer with what stock VeighNa would log.
	StartRPC(by string) (said string, err error)
	StopRPC(by string) (said string, err error)
	SetLogLevel(level, by string) error
}

const (
	requestMax = 64 << 10
	// handleMax is how long an answer may take: a disk that hangs must not hang the operator for good.
	handleMax = 30 * time.Second
)

// Server answers on a socket. Make one with Serve, or with Door.Serve.
type Server struct {
	http *http.Server
	done chan error
}

// Serve answers whoever gets in on the listener, until Close.
func Serve(l net.Listener, o Operator, log hclog.Logger) *Server {
	return Door{Own: true}.Serve(l, o, log)
}

// Serve answers on the listener until Close.
func (d Door) Serve(l net.Listener, o Operator, log hclog.Logger) *Server {
	s := &Server{
		http: &http.Server{
			Handler:           Handler(o),
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: handleMax + 10*time.Second, IdleTimeout: time.Minute,
			MaxHeaderBytes: 16 << 10,
			ErrorLog:       log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Warn}),
			ConnContext: func(ctx context.Context, c net.Conn) context.Context {
				uid, known := peerOf(c)
				return context.WithValue(ctx, callerKey{}, sync.OnceValue(func() caller { return d.caller(personOf(uid, known), known) }))
			},
		},
		done: make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(l) }()
	return s
}

// Close ends the server and its connections, at once after ctx.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	if e := <-s.done; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// Handler is the protocol over an operator.
func Handler(o Operator) http.Handler {
	mux := http.NewServeMux()
	get(mux, "/v1/status", func(*http.Request) (any, error) { return o.Status(), nil })
	get(mux, "/v1/plugins", func(*http.Request) (any, error) { return o.Plugins(), nil })
	get(mux, "/v1/watches", func(*http.Request) (any, error) { return o.Watches(), nil })
	get(mux, "/v1/accounts", func(*http.Request) (any, error) { return o.Accounts(), nil })
	get(mux, "/v1/calendars", func(*http.Request) (any, error) { return o.Calendars(), nil })
	get(mux, "/v1/orders", func(r *http.Request) (any, error) {
		return o.Orders(r.URL.Query().Get("trader"), r.URL.Query().Get("active") == "true")
	})
	get(mux, "/v1/trades", func(r *http.Request) (any, error) { return o.Trades(r.URL.Query().Get("trader")) })
	get(mux, "/v1/positions", func(r *http.Request) (any, error) { return o.Positions(r.URL.Query().Get("trader")) })
	alertHandlers(mux, o)
	stateHandlers(mux, o)
	rateHandlers(mux, o)
	numberHandlers(mux, o)
	bookHandlers(mux, o)
	overrideHandlers(mux, o)
	recordHandlers(mux, o)
	amendHandlers(mux, o)
	post(mux, "/v1/cancel-all", some(func(r *http.Request, w Whom) (any, error) { return o.CancelAll(r.Context(), w, by(r)) }))
	post(mux, "/v1/flatten", some(func(r *http.Request, w Whom) (any, error) { return o.Flatten(r.Context(), w, by(r)) }))
	post(mux, "/v1/policy/reload", func(r *http.Request, _ struct{}) (any, error) { return o.ReloadPolicy(r.Context(), by(r)) })
	post(mux, "/v1/rpc/start", func(r *http.Request, _ struct{}) (any, error) {
		said, err := o.StartRPC(by(r))
		return Done{said}, err
	})
	post(mux, "/v1/rpc/stop", func(r *http.Request, _ struct{}) (any, error) {
		said, err := o.StopRPC(by(r))
		return Done{said}, err
	})
	post(mux, "/v1/log", func(r *http.Request, l Level) (any, error) {
		return Done{"level " + l.Level}, o.SetLogLevel(l.Level, by(r))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusNotFound, &ProblemError{
			Text: fmt.Sprintf("this hub does not know %s %s", r.Method, r.URL.Path), Hint: "the hub that runs may be of another version than this command",
		})
	})
	return mux
}

func by(r *http.Request) string {
	return callerOf(r).person.Name
}

func get(mux *http.ServeMux, path string, ask func(*http.Request) (any, error)) {
	mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if may(w, r, Read) {
			reply(w, r, ask)
		}
	})
}

func post[T any](mux *http.ServeMux, path string, do func(*http.Request, T) (any, error)) {
	postBy(mux, path, Operate, do)
}

// postBy is post for those who have a role.
func postBy[T any](mux *http.ServeMux, path string, role Role, do func(*http.Request, T) (any, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		if !may(w, r, role) {
			return
		}
		var asked T
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, requestMax))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&asked); err != nil && !errors.Is(err, io.EOF) {
			answer(w, http.StatusBadRequest, &ProblemError{Text: "the request cannot be read: " + err.Error()})
			return
		}
		reply(w, r, func(r *http.Request) (any, error) { return do(r, asked) })
	})
}

func reply(w http.ResponseWriter, r *http.Request, ask func(*http.Request) (any, error)) {
	ctx, cancel := context.WithTimeout(r.Context(), handleMax)
	defer cancel()
	what, err := ask(r.WithContext(ctx))
	if err == nil {
		answer(w, http.StatusOK, what)
		return
	}
	problem := &ProblemError{Text: err.Error()}
	errors.As(err, &problem)
	answer(w, http.StatusConflict, problem)
}

func answer(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what) // the operator went away
}
