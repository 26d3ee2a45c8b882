// Package parity compares the images of a list with each other, to find out whether they are the same program, built
// for several machines.
//
// Compare returns the differences in their configs and in the contents of their layers, as read by package deep.
// Findings turns them into findings. The package reads nothing itself.
//
// Differences that only the architecture causes do not count:
//
//   - words for machines are ignored in names and values (x86_64-linux-gnu-gcc, a tag that ends in -arm64);
//   - a name that consists of such a word (x86_64, s390) is not a program;
//   - programs in a package database are compared as packages, and the others by name;
//   - versions of Debian's packages are compared without the number of a rebuild (+b1), which differs by architecture;
//   - a package that not every image has counts only where somebody installed it by name: not where it is a dependency
//     of packages in the images that have it and of none in the others, as libquadmath, which is for amd64 only;
//   - microcode, firmware, boot loaders and kernels are by nature for one machine;
//   - values of variables that look like a checksum are not compared.
package parity
