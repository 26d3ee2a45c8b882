package build

import "time"

// TrialOptions say how commands are run in images.
type TrialOptions struct {
	Where
	// Limit ends a command that runs longer; 0: one minute. Fetching the image does not count.
	Limit time.Duration
}

// Scratch makes a directory below parent that the caller removes; the next build removes it after this one was killed.
func Scratch(parent string) (path string, remove func(), err error) {
	s, err := newScratch(parent)
	if err != nil {
		return "", nil, err
	}
	return s.path, s.remove, nil
}
