package host

import "runtime"

// forker starts processes from one thread that lives as long as it does. The kernel's "kill me when my parent dies" means the thread that called fork,
// and Go ends threads as it likes; so this one is held, and only ends when no process is left.
type forker struct {
	jobs chan func()
	done chan struct{}
}

func newForker() *forker {
	f := &forker{jobs: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for job := range f.jobs {
			job()
		}
	}()
	return f
}

// do calls start on the thread.
func (f *forker) do(start func() error) error {
	result := make(chan error)
	f.jobs <- func() { result <- start() }
	return <-result
}

func (f *forker) close() {
	close(f.jobs)
	<-f.done
}
