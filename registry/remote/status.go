package remote

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mtool/registry"
)

// answer is the reason that a registry or token server gave with a bad status.
type answer struct {
	Code    string // the first error's code, "" when it gave none
	Message string // one line, "" when it gave none
}

// maxAnswer bounds the bytes read of an error.
const maxAnswer = 64 << 10

// readAnswer reads the body of a bad answer: the specification's JSON
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes), the shapes that token servers
// and clouds use, or a line of text. A page of HTML is not worth showing.
func readAnswer(r *http.Response) answer {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer))
	if err != nil && len(body) == 0 {
		return answer{}
	}
	return parseAnswer(body)
}

func parseAnswer(body []byte) answer {
	var doc struct {
		Errors []struct {
			Code    string          `json:"code"`
			Message string          `json:"message"`
			Detail  json.RawMessage `json:"detail"`
		} `json:"errors"`
		Error       any    `json:"error"`
		Description string `json:"error_description"`
		Message     string `json:"message"`
		Details     string `json:"details"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return answer{Message: plainText(body)}
	}
	if len(doc.Errors) == 0 {
		for _, s := range []string{doc.Description, doc.Message, doc.Details} {
			if s != "" {
				return answer{Message: registry.OneLine(s)}
			}
		}
		s, _ := doc.Error.(string)
		return answer{Message: registry.OneLine(s)}
	}
	var lines []string
	for _, e := range doc.Errors {
		line := strings.Trim(e.Code+": "+e.Message, ": ")
		if digest := detailDigest(e.Detail); digest != "" && !strings.Contains(line, digest) {
			line += " (" + digest + ")"
		}
		lines = append(lines, line)
	}
	return answer{Code: doc.Errors[0].Code, Message: registry.OneLine(strings.Join(lines, "; "))}
}

// detailDigest finds the digest that a MANIFEST_BLOB_UNKNOWN is about: distribution gives a string, others an object.
func detailDigest(detail json.RawMessage) string {
	var s string
	if json.Unmarshal(detail, &s) == nil {
		if strings.HasPrefix(s, "sha256:") || strings.HasPrefix(s, "sha512:") {
			return s
		}
		return ""
	}
	var o map[string]any
	if json.Unmarshal(detail, &o) == nil {
		for _, key := range []string{"digest", "Digest", "blob"} {
			if s, ok := o[key].(string); ok {
				return s
			}
		}
	}
	return ""
}

func plainText(body []byte) string {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "<") || strings.ContainsRune(text, '\uFFFD') {
		return ""
	}
	return registry.OneLine(text)
}

// text returns the message, or the code where there is no message.
func (a answer) text() string {
	if a.Message == "" {
		return a.Code
	}
	return a.Message
}

// immutable reports whether the registry refuses to move a tag. There is no code for it: ECR, Harbor, Google, Azure and
// Quay each use another status and other words.
func (a answer) immutable() bool {
	s := strings.ToLower(a.Code + " " + a.Message)
	for _, word := range []string{
		"immutab", "cannot be overwritten", "tagalreadyexists", "tag already exists",
		"tag is locked",
	} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

// transient reports whether a status is worth another attempt.
func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusInsufficientStorage:
		return false // a full disk does not empty itself
	}
	return status >= 500
}

// retryAfter reads the Retry-After header, seconds or a date (RFC 9110 section 10.2.3); 0 when there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.Atoi(value); err == nil {
		return max(0, time.Duration(min(seconds, 1<<20))*time.Second)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// drain makes the connection reusable, unless much is left to read.
func drain(b io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, b, 64<<10)
	_ = b.Close()
}

func closeBody(b io.Closer) {
	if b != nil {
		_ = b.Close()
	}
}
