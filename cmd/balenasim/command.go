package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// killAfter is how long a command may take to exit before it is killed.
const killAfter = 20 * time.Second

// runCommand runs a program against the simulator until it exits or ctx is done.
// It passes the endpoint and the key in the environment variables that this
// project's configurations use.
func runCommand(ctx context.Context, argv []string, url, token string, stdout, stderr io.Writer) error {
	// If the simulator is killed, the kernel ends the program together with the
	// thread that started it, so that thread must stay alive.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "BALENA_API_URL="+url, "BALENA_API_KEY="+token, "BALENA_TOKEN="+token)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = endWithParent()
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err == nil || errors.Is(err, os.ErrProcessDone) {
			return err
		}
		return cmd.Process.Kill() // there is no SIGTERM on Windows
	}
	cmd.WaitDelay = killAfter
	err := cmd.Run()
	switch {
	case err == nil, ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil
	default:
		return fmt.Errorf("%s: %w", argv[0], err)
	}
}
