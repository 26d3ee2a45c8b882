package workload

import (
	"strings"
)

// relatedPrefix begins the names of the variables by which operators are told their images.
// https://olm.operatorframework.io/docs/ (relatedImages)
const relatedPrefix = "RELATED_IMAGE_"

// related reports whether a mapping is such a variable.
func related(n *node) bool {
	return strings.HasPrefix(n.get("name").scalar(), relatedPrefix) && n.get("value").scalar() != ""
}

// words looks at what a container is told by variables and arguments: images for operators are checked, other words that can
// hardly be anything but an image are said.
func (r *reader) words(c *node, what string, s spot) error {
	for _, e := range c.get("env").list() {
		name, value := e.get("name").scalar(), e.get("value")
		in := s.into(e, "env."+name)
		switch {
		case related(e):
			if err := r.outside(value, in); err != nil {
				return err
			}
		case namesImage(name, value.scalar()):
			r.unchecked(value, what, value.scalar(), "a variable ("+name+") names it")
		}
	}
	for _, list := range []string{"command", "args"} {
		before := ""
		for _, word := range c.get(list).list() {
			flag, value, joined := strings.Cut(word.scalar(), "=")
			if !joined {
				flag, value = before, word.scalar()
			}
			for one := range strings.SplitSeq(value, ",") {
				if namesImage(flag, one) {
					r.unchecked(word, what, one, "an argument names it")
				}
			}
			before = word.scalar()
		}
	}
	return nil
}

// namesImage reports whether a value names an image: a full name, or one with a tag where what it is given for is called so.
func namesImage(name, value string) bool {
	if fullName(value) {
		return true
	}
	name = strings.ToLower(name)
	called := strings.HasSuffix(name, "image") || strings.HasSuffix(name, "images")
	return called && tagged(value) && !strings.Contains(value, "://") && fullName("docker.io/"+value)
}
