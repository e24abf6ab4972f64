// Package clients keeps, for generators.test.mjs, the generators of Go clients and what the generated code imports. The
// clients themselves are generated into ogen/ and oapi/, which are not stored.
package clients

import (
	_ "github.com/go-faster/errors"
	_ "github.com/go-faster/jx"
	_ "github.com/oapi-codegen/runtime"
	_ "github.com/ogen-go/ogen/conv"
)
