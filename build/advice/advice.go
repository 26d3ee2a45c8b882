package advice

import "errors"

// Kind is what would help. The words after a kind are its arguments.
type Kind int

// The kinds of advice.
const (
	None            Kind = iota
	OtherWorker          // a remote worker
	NativeWorker         // PLATFORM: a worker that runs it natively
	WorkerFor            // PLATFORM: some worker for it, be it the embedded one
	OwnWorker            // the embedded worker with mtool's emulators, or an emulator there
	CacheWorker          // a buildkitd, for its kinds of caches
	WholeBuildKit        // the embedded worker or a buildkitd, not the BuildKit in Docker Engine
	NoneRunning          // to check that a worker runs there, or to use the embedded one
	WorkerLog            // to look at the log of a worker
	WorkerAlive          // to check whether the worker is back
	TrustWorker          // an authority for the worker's certificate, or the name in it
	Certificates         // certificates for a worker with TLS
	ClientCert           // a client certificate
	SignedCert           // a client certificate that the worker's authority has signed
	NoCertificates       // to leave the certificates out
	MoreTime             // a longer limit for the whole build, or a native worker
	MoreSilence          // a longer limit for silence
	NewerQEMU            // a newer emulator, or a native worker
	LogIn                // to log in, or not to check a certificate
	PinList              // to pin the digest of a list
	RemoveBase           // PLATFORM, IMAGE: to remove it from the store, or to have one for the platform
	StoreDraft           // DRAFT, NAME: to copy a draft with all of its content into the store
	BuiltinSyntax        // the Dockerfile frontend that BuildKit has built in
	NotStrict            // to be warned only
	GiveSecret           // ID: a secret
	Allow                // ENTITLEMENT: to let steps request it
	FreeBuilds           // to remove cached builds
	PublishFirst         // to give the image to a registry, or to the engine
	AppArmor             // a profile for AppArmor, or its restriction off
	KernelSetting        // NAME, VALUE: another value of a kernel setting
	OpenContainer        // this container without its seccomp filter and AppArmor profile, or another worker
	ShowProc             // this container with all of /proc
	MapCapabilities      // this container with the capabilities that map ids, or another user than root
	MapPrivilege         // PROGRAM: this container with the privilege that newuidmap or newgidmap needs
	SubordinateIDs       // USER: ranges of subordinate ids
	MoreIDs              // ID, LINE: a line in /etc/subuid and /etc/subgid, so that ID is mapped too
	HostEmulator         // ARCHITECTURE: an emulator that the whole machine uses
	kinds
)

// Kinds returns all of them but None.
func Kinds() (all []Kind) {
	for k := None + 1; k < kinds; k++ {
		all = append(all, k)
	}
	return all
}

// Advice is what would help against an error. The zero value advises nothing. Errors embed it.
type Advice struct {
	Kind Kind
	Args []string
	Text string // what to do before that, or instead
}

// Of returns advice of kind k.
func Of(k Kind, args ...string) Advice { return Advice{Kind: k, Args: args} }

// Say returns advice as text, which must not name flags or commands of mtool.
func Say(text string) Advice { return Advice{Text: text} }

// Or adds a kind to advice in plain words.
func (a Advice) Or(k Kind, args ...string) Advice {
	a.Kind, a.Args = k, args
	return a
}

// Note is a remark for the user, and what would help.
type Note struct {
	Text string
	Advice
}

// IsZero reports whether a advises nothing.
func (a Advice) IsZero() bool { return a.Kind == None && a.Text == "" }

// Hint returns the advice's text, if any.
func (a Advice) Hint() string { return a.Text }

// Advised returns a itself.
func (a Advice) Advised() Advice { return a }

// With adds advice to err.
func With(err error, a Advice) error { return &advised{err, a} }

type advised struct {
	error
	Advice
}

func (e *advised) Unwrap() error { return e.error }

// For returns the advice of the first error in err's tree that has some.
func For(err error) Advice {
	if a := (interface{ Advised() Advice })(nil); errors.As(err, &a) {
		return a.Advised()
	}
	return Advice{}
}
