package regular

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxText is the limit, in bytes, for text that people write: settings, keys, lists, workload files.
const MaxText = 16 << 20

// Read reads a regular file of at most that many bytes. Files of /proc, which report size 0, read as empty.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	return whole(f, path, most)
}

// ReadIn is Read below root, whose links can't lead out.
func ReadIn(root *os.Root, name string, most int64) ([]byte, error) {
	f, err := OpenIn(root, name)
	if err != nil {
		return nil, err
	}
	return whole(f, name, most)
}

// ReadTyped is Read for a path that the user typed: a file that this process has open may be a pipe or a terminal.
// Waiting for it ends with ctx.
func ReadTyped(ctx context.Context, path string, most int64) ([]byte, error) {
	if !IsHeld(path) {
		return Read(path, most)
	}
	f, err := os.OpenFile(path, openFlags, 0)
	if err != nil {
		return nil, err
	}
	data, err := ReadAll(ctx, f, most)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %q: %w", path, err), f.Close())
	}
	return data, f.Close()
}

// ReadAll reads at most that many bytes; more are an error. It returns when ctx ends, and leaves a read that waits
// behind.
func ReadAll(ctx context.Context, r io.Reader, most int64) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(r, most+1))
		done <- result{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case got := <-done:
		if got.err == nil && int64(len(got.data)) > most {
			return nil, fmt.Errorf("more than %d bytes: %w", most, ErrFile)
		}
		return got.data, got.err
	}
}

// whole reads f to its end and closes it.
func whole(f *os.File, path string, most int64) ([]byte, error) {
	data, err := limited(f, path, most)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return data, nil
}

func limited(f *os.File, path string, most int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err // reading a file of /proc can wait, and may reveal secrets
	}
	tooLarge := &fileError{path, fmt.Sprintf("is too large: over %d bytes", most)}
	if info.Size() > most {
		return nil, tooLarge
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, tooLarge
	}
	return data, err
}
