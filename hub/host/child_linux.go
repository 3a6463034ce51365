package host

import (
	"errors"
	"os/exec"

	"golang.org/x/sys/unix"
)

// tame puts a process into a group of its own, so that its children can be killed with it, and has the kernel kill it when the hub is gone, even by SIGKILL. The kernel means the
// thread that started the process, not the hub: see forker.
func tame(cmd *exec.Cmd) {
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
}

// killGroup kills a process and its children.
func killGroup(pid int) { _ = unix.Kill(-pid, unix.SIGKILL) }

// waitExit waits for the end of a child of ours and leaves it to be reaped; false when it cannot.
func waitExit(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err == nil
		}
	}
}
