// Package testparts gives tests the real programs that mtool works with: registries, Docker Engine, BuildKit, QEMU,
// other tools, and a user without privileges.
//
// A test calls Need, which skips it where a part is missing, and then StartRegistry, StartDockerd, StartBuildkitd or
// Unprivileged. With a part named in MTOOL_TEST_REQUIRE a missing one fails the test instead, so that no skip reads as
// green.
//
// Everything that it starts is private to the test and ends with it. It installs nothing: testdata/deps.sh and
// testdata/tools.sh do.
package testparts
