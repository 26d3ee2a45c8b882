package inspect

// Contents are what the layers of an image hold, as far as it is compared with the other images of a list. Package deep reads it.
type Contents struct {
	// Whole says that every layer was read to its end: what is not here is not in the image.
	Whole bool
	// Programs are the names in the directories of PATH that no database of packages lists.
	Programs []string
	// Packages are the versions of what the databases of packages list, by name.
	Packages map[string]string
	// Needs are the names that the packages say they need.
	Needs map[string]bool
	// Unread is the path of a database of packages that is not read; "" where there is none.
	Unread string
	// UnreadWhy is the reason.
	UnreadWhy string
}
