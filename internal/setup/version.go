package setup

import (
	"cmp"
	"runtime/debug"
)

// Version returns the version of Doubletap in this program, which may be an owner's. It is "(devel)" when the program
// was built from a clone.
func Version() string { return ModuleVersion("github.com/doubletap/doubletap") }

// ModuleVersion returns the version of a module in this program.
func ModuleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path != path {
			continue
		}
		if m.Replace != nil {
			m = m.Replace // a folder has no version, whatever is required
		}
		return cmp.Or(m.Version, "(devel)")
	}
	return "(devel)"
}
