// Package logattr finds values that a log line cannot hold. PocketBase stores the attributes of a line as JSON; a
// value without JSON, such as a time.Duration, loses the whole line without an error.
package logattr

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// Analyzer reports arguments of log/slog that cannot be encoded as JSON.
var Analyzer = &analysis.Analyzer{
	Name: "logattr",
	Doc:  "reports values given to log/slog that encoding/json/v2 refuses",
	Run:  runAnalysis,
}

func runAnalysis(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !isLogCall(pass, call) {
				return true
			}
			for _, arg := range call.Args {
				if why := unserializablePart(pass.TypesInfo.TypeOf(arg), 0); why != "" {
					pass.Reportf(arg.Pos(), "a log line cannot hold %s, and is lost", why)
				}
			}
			return true
		})
	}
	return nil, nil
}

// isLogCall reports whether a call is to a function or a method of log/slog.
func isLogCall(pass *analysis.Pass, call *ast.CallExpr) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	called, ok := pass.TypesInfo.Uses[selector.Sel].(*types.Func)
	return ok && called.Pkg() != nil && called.Pkg().Path() == "log/slog"
}

// unserializablePart returns in words the part of a type that has no JSON, or "" if there is none.
func unserializablePart(t types.Type, depth int) string {
	if t == nil || depth > 4 {
		return ""
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		name := named.Obj()
		if name.Pkg() != nil {
			switch path := name.Pkg().Path(); {
			case path == "time" && name.Name() == "Duration":
				return "a time.Duration (use milliseconds as a number)"
			case path == "time", path == "log/slog", path == "context":
				return "" // these have JSON
			}
		}
		if marshalsItself(t) {
			return ""
		}
	}
	switch under := t.Underlying().(type) {
	case *types.Chan:
		return "a channel"
	case *types.Signature:
		return "a function"
	case *types.Basic:
		if under.Info()&types.IsComplex != 0 {
			return "a complex number"
		}
	case *types.Slice:
		return unserializablePart(under.Elem(), depth+1)
	case *types.Array:
		return unserializablePart(under.Elem(), depth+1)
	case *types.Map:
		return unserializablePart(under.Elem(), depth+1)
	case *types.Struct:
		for field := range under.Fields() {
			if why := unserializablePart(field.Type(), depth+1); field.Exported() && why != "" {
				return why
			}
		}
	}
	return ""
}

// marshalsItself reports whether a type, or a pointer to it, defines how it is encoded, or is an error, whose text is
// logged.
func marshalsItself(t types.Type) bool {
	for _, method := range []string{"MarshalJSON", "MarshalJSONTo", "MarshalText", "Error", "LogValue"} {
		if found, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, nil, method); found != nil {
			return true
		}
	}
	return false
}
