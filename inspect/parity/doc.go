// Package parity compares the images of a list with each other: whether they are one program, built for several
// machines.
//
// Compare tells what differs in what their configs say and in what their layers hold, as package deep has read it;
// Findings makes findings of that. Nothing is read.
//
// What the architecture alone brings about is no difference:
//
//   - words for machines are left out of names and values (x86_64-linux-gnu-gcc, a tag that ends in -arm64);
//   - a name that is nothing but such a word (x86_64, s390) is no program;
//   - programs that a database of packages lists are compared as packages, and the others by name;
//   - versions of Debian's packages are compared without the number of a rebuild (+b1), which differs by architecture;
//   - a package that not every image has counts only where somebody installed it by name: not where it is a dependency
//     of packages in the images that have it and of none in the others, as libquadmath, which is for amd64 only;
//   - microcode, firmware, boot loaders and kernels are for one machine by nature;
//   - values of variables that look like a checksum are not compared.
package parity
