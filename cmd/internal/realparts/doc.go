// Package realparts lets tests work with what mtool meets outside: registries, Docker Engine, BuildKit, QEMU, other tools, and
// a user without privileges.
//
// A test calls Need, which skips it where a part is missing, and then StartRegistry, StartDockerd, StartBuildkitd or
// Unprivileged. With a part named in MTOOL_TEST_REQUIRE a missing one fails the test instead, so that no skip reads as green.
//
// Everything it starts is private to the test, and gone with it. It installs nothing: see testdata/deps.sh and
// testdata/tools.sh for that.
package realparts
