// Package testparts gives tests the real programs that mtool works with: registries, Docker Engine, BuildKit, QEMU and
// other tools, and an unprivileged user.
//
// A test calls Need, which skips it if a part is missing, and then StartRegistry, StartDockerd, StartBuildkitd or
// NewUser. If MTOOL_TEST_REQUIRE names the missing part, the test fails instead, so that a skip is not mistaken for a
// success.
//
// Everything that it starts is private to the test and ends with it. It installs nothing; testdata/deps.sh and
// testdata/tools.sh do that.
package testparts
