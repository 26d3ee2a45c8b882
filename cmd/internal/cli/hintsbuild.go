package cli

import (
	"fmt"

	"mtool/build/advice"
)

// adviceHint returns what to type for advice of a build. Plain words come first.
func adviceHint(a advice.Advice) string {
	words := make([]any, len(a.Args))
	for i, arg := range a.Args {
		words[i] = arg
	}
	hint := adviceHints()[a.Kind]
	if len(words) > 0 {
		hint = fmt.Sprintf(hint, words...)
	}
	if a.Text != "" && hint != "" {
		return a.Text + ", or " + hint
	}
	return a.Text + hint
}

// adviceHints has every kind of advice; its words take the place of the verbs.
func adviceHints() map[advice.Kind]string {
	return map[advice.Kind]string{
		advice.OtherWorker:    "use another worker: --worker ADDRESS",
		advice.NativeWorker:   "--worker %s=ADDRESS of a native one",
		advice.WorkerFor:      "--worker %s=ADDRESS, or --worker embedded",
		advice.OwnWorker:      "install an emulator there, or leave --worker out: mtool then starts a worker with its own",
		advice.CacheWorker:    "a buildkitd has them: --worker ADDRESS; or use type=gha, type=registry or type=local",
		advice.WholeBuildKit:  "leave --worker out, or name a buildkitd",
		advice.NoneRunning:    "is buildkitd running there? without --worker mtool starts a worker itself",
		advice.WorkerLog:      "look at the log of that worker: mtool workers",
		advice.WorkerAlive:    "is the machine up, and the network between? mtool workers asks again",
		advice.TrustWorker:    "name who signed it: --worker-ca FILE; or the name in it: --worker-server-name NAME",
		advice.Certificates:   "--worker-ca FILE --worker-cert FILE --worker-key FILE for a worker with TLS",
		advice.ClientCert:     "--worker-cert FILE --worker-key FILE",
		advice.SignedCert:     "use a certificate that the worker's --tlscacert has signed: --worker-cert FILE --worker-key FILE",
		advice.NoCertificates: "leave --worker-ca, --worker-cert and --worker-key out",
		advice.MoreTime:       "a longer --timeout, or a native worker in place of an emulator: --worker ADDRESS",
		advice.MoreSilence:    "a longer --idle-timeout, or see why the step hangs",
		advice.NewerQEMU:      "a newer QEMU may run it; a native worker does: --worker ADDRESS",
		advice.LogIn:          "mtool login, or --tls-skip-verify for a certificate that is not trusted",
		advice.PinList:        "pin the digest of the list that the image belongs to; mtool inspect NAME:TAG shows it",
		advice.RemoveBase: "build or copy the base image for %s too, under a name of its own (ARG TARGETARCH before FROM tells them apart), " +
			"or remove the one in the store: mtool rm %s",
		advice.StoreDraft:    "copy all of it into the store: mtool copy draft:%s store:%s",
		advice.BuiltinSyntax: "--syntax builtin has the Dockerfile read by BuildKit's own frontend",
		advice.NotStrict:     "use the TARGET… arguments instead, or leave --strict out to be warned only",
		advice.GiveSecret:    "--secret id=%s,src=FILE",
		advice.Allow:         "--allow %s lets steps have it",
		advice.FreeBuilds:    "make room: mtool prune --builds removes the cache of builds",
		advice.PublishFirst:  "mtool push the image first or, for Docker Engine, mtool copy it to docker-daemon:NAME",
		advice.AppArmor: "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, " +
			"or load the profile that this prints: mtool workers --apparmor-profile",
		advice.KernelSetting: "as root: sysctl -w %s=%s",
		advice.OpenContainer: "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined " +
			"(Kubernetes: seccompProfile Unconfined), or use another worker: --worker ADDRESS",
		advice.ShowProc: "docker run --security-opt systempaths=unconfined",
		advice.MapCapabilities: "docker run --cap-add SETUID --cap-add SETGID --cap-add SETFCAP, " +
			"or run mtool as an ordinary user",
		advice.MapPrivilege: "docker run --cap-add SYS_ADMIN, or an image in which %s has a capability " +
			"instead of the set-user-id bit: setcap cap_setuid+ep",
		advice.SubordinateIDs: "as root: usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST %s",
		advice.MoreIDs:        "to map id %s too, as root add this line to /etc/subuid and /etc/subgid: %s",
		advice.HostEmulator:   "as root: mtool emulators install --host %s",
	}
}
