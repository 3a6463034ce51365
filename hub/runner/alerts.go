package runner

import (
	"sync"

	"tradehub/hub"
)

// alertsMax is how many alerts are kept to be asked for. The oldest give way; the log has them all.
const alertsMax = 1000

// Alert is something that a person must look at.
type Alert struct {
	// Seq counts alerts since the hub began, from 1.
	Seq  uint64
	Time hub.Time
	Text string
}

// alertList keeps the last alerts.
type alertList struct {
	mu   sync.Mutex
	all  []Alert // the last is the newest
	seq  uint64
	next chan struct{} // closed with the next one; nil when nobody waits
}

func (l *alertList) add(a Alert) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	a.Seq = l.seq
	if len(l.all) == alertsMax {
		l.all = append(l.all[:0:0], l.all[1:]...)
	}
	l.all = append(l.all, a)
	if l.next != nil {
		close(l.next)
		l.next = nil
	}
}

// Raise tells compliance and the operator of something: it stands in the log and among the Alerts.
func (r *Runner) Raise(text string) {
	r.log.Error("alert", "what", text)
	r.alerts.add(Alert{Time: hub.TimeOf(r.opts.Clock()), Text: text})
}

// Alerts are the last ones that came after the one of a number, the oldest first; and, when there are none, what is closed with the next.
func (r *Runner) Alerts(after uint64) ([]Alert, <-chan struct{}) {
	l := &r.alerts
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, a := range l.all {
		if a.Seq > after {
			return append([]Alert(nil), l.all[i:]...), nil
		}
	}
	if l.next == nil {
		l.next = make(chan struct{})
	}
	return nil, l.next
}
